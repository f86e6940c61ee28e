using System.Globalization;
using System.Text;

namespace Qubes.Storage;

/// <summary>
/// The committed states of a volume, the content of its <c>.layers</c> file. Replacing that file is what commits: an image it does not
/// list does not exist. Immutable.
/// </summary>
/// <remarks>
/// ASCII lines: <c>qubes-layers 1</c>, <c>head ID</c>, then per layer, ids rising,
/// <c>layer ID FILE raw|qcow2 PARENT SIZE COMMITTED-NS revision|hidden</c>, last <c>end</c>, without which a list that lost its last layers
/// would read as a whole one.
/// </remarks>
internal sealed record LayerTree(int HeadId, IReadOnlyList<Layer> Layers)
{
    public const int MaxLength = 1 << 16;
    private const int MaxLayers = 512;
    private const string FirstLine = "qubes-layers 1";
    private const string LastLine = "end";

    public Layer Head => Find(HeadId);

    /// <summary>Kept former states, oldest first.</summary>
    public IEnumerable<Layer> Revisions => Layers.Where(layer => layer.IsRevision && layer.Id != HeadId);

    public int NextId => Layers.Count == 0 ? 1 : Layers.Max(layer => Math.Max(layer.Id, layer.File)) + 1;

    public Layer Find(int id) => Layers.First(layer => layer.Id == id);

    public IEnumerable<Layer> ChildrenOf(Layer layer) => Layers.Where(other => other.Parent == layer.Id);

    /// <summary>The layer and everything that lies on it.</summary>
    public IEnumerable<Layer> SubtreeOf(Layer layer) => ChildrenOf(layer).SelectMany(SubtreeOf).Prepend(layer);

    /// <summary>A new head. The former one becomes a revision, or is hidden.</summary>
    public LayerTree Push(Layer layer, bool keepFormerHead) => new(
        layer.Id,
        [.. Layers.Select(old => old.Id == HeadId ? old with { IsRevision = keepFormerHead } : old), layer]);

    /// <summary>Replaces a layer by another state of it.</summary>
    public LayerTree Replace(Layer old, Layer changed) => this with { Layers = [.. Layers.Select(layer => layer == old ? changed : layer)] };

    /// <summary>Takes out a layer on which none lies.</summary>
    public LayerTree Without(Layer layer) => this with { Layers = [.. Layers.Where(other => other.Id != layer.Id)] };

    /// <summary>Only the newest <paramref name="count"/> revisions stay ones.</summary>
    public LayerTree KeepRevisions(int count)
    {
        HashSet<int> kept = [.. Revisions.Select(layer => layer.Id).TakeLast(Math.Max(0, count))];
        return this with { Layers = [.. Layers.Select(layer => layer with { IsRevision = kept.Contains(layer.Id) })] };
    }

    public byte[] Write()
    {
        StringBuilder text = new();
        text.Append(FirstLine).Append('\n').Append(CultureInfo.InvariantCulture, $"head {HeadId}\n");
        foreach (Layer layer in Layers.OrderBy(layer => layer.Id))
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"layer {layer.Id} {layer.File} {(layer.Format == DiskFormat.Raw ? "raw" : "qcow2")} {layer.Parent} {layer.Size} {layer.Committed} {(layer.IsRevision ? "revision" : "hidden")}\n");
        }

        return Encoding.ASCII.GetBytes(text.Append(LastLine).Append('\n').ToString());
    }

    /// <exception cref="FormatException">Not a consistent tree.</exception>
    public static LayerTree Parse(ReadOnlySpan<byte> untrustedContent)
    {
        if (untrustedContent.Length >= MaxLength || untrustedContent.IsEmpty || untrustedContent[^1] != '\n')
        {
            throw new FormatException("The list of layers is too long or cut short.");
        }

        string[] lines = Encoding.ASCII.GetString(untrustedContent[..^1]).Split('\n');
        if (lines.Length is < 4 or > MaxLayers + 3 || lines[0] != FirstLine || lines[^1] != LastLine || !lines[1].StartsWith("head ", StringComparison.Ordinal))
        {
            throw new FormatException("Not a whole list of layers.");
        }

        LayerTree tree = new(Number(lines[1].AsSpan(5)), [.. lines[2..^1].Select(ParseLayer)]);
        HashSet<int> ids = [];
        HashSet<int> files = [];
        foreach (Layer layer in tree.Layers)
        {
            // Ids rise and a parent comes first, so that no chain is a circle.
            if ((layer.Parent != 0 && !ids.Contains(layer.Parent)) || !ids.Add(layer.Id) || !files.Add(layer.File)
                || (layer.Format == DiskFormat.Raw && layer.Parent != 0))
            {
                throw new FormatException("The layers contradict each other.");
            }
        }

        return ids.Contains(tree.HeadId) ? tree : throw new FormatException("The head is no layer.");
    }

    private static Layer ParseLayer(string line)
    {
        string[] words = line.Split(' ');
        if (words.Length != 8 || words[0] != "layer" || words[3] is not ("raw" or "qcow2") || words[7] is not ("revision" or "hidden"))
        {
            throw new FormatException("A line of the list of layers is damaged.");
        }

        int id = Number(words[1]);
        int file = Number(words[2]);
        return new Layer(
            id > 0 ? id : throw new FormatException("A layer has the id 0."),
            file,
            words[3] == "raw" ? DiskFormat.Raw : DiskFormat.Qcow2,
            Number(words[4]),
            Size(words[5]),
            Size(words[6]),
            words[7] == "revision");
    }

    private static int Number(ReadOnlySpan<char> text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value < int.MaxValue - 1
            ? value
            : throw new FormatException("A number in the list of layers is damaged.");

    private static long Size(ReadOnlySpan<char> text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw new FormatException("A size in the list of layers is damaged.");
}
