using Qubes.Linux;

namespace Qubes.Storage;

/// <summary>A change that ends in a new layer list: the files first, the list last, then what it no longer lists.</summary>
internal sealed class LayerChange : IDisposable
{
    private readonly LayerFiles _files;
    private readonly string _newList;
    private readonly Intent _intent;

    /// <param name="temporaries">Files being made that are to go if the change comes to nothing.</param>
    public LayerChange(IntentLog intents, LayerFiles files, string operation, string vid, params IReadOnlyList<string> temporaries)
    {
        _files = files;
        _newList = $"{files.ListPath}~{KernelRandom.HexString(8)}";
        _intent = intents.Begin(operation, vid, [.. temporaries, _newList]);
    }

    /// <summary>Makes <paramref name="tree"/> the volume's committed states.</summary>
    /// <param name="steps">What must be done for its files to be in place, before the list is.</param>
    public void Carry(LayerTree tree, params IReadOnlyList<IntentStep> steps)
    {
        _files.Write(_newList, tree);
        HashSet<int> listed = [.. tree.Layers.Select(layer => layer.File)];
        LayerFiles files = _files;
        IEnumerable<IntentStep> obsolete = files.Exists
            ? files.Read().Layers.Where(layer => !listed.Contains(layer.File)).Select(layer => IntentStep.Remove(files.PathOf(layer)))
            : [];
        _intent.Carry([.. steps, IntentStep.Rename(_newList, _files.ListPath), .. obsolete]);
    }

    public void Dispose() => _intent.Dispose();
}
