using Microsoft.Win32.SafeHandles;
using Qubes.Linux;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>The layer list of a volume and the names of its images.</summary>
/// <param name="Root">The pool's directory.</param>
/// <param name="Base">The volume's vid.</param>
internal readonly record struct LayerFiles(RootedDirectory Root, string Base)
{
    public string ListPath => Base + Qcow2Volume.LayersSuffix;

    public bool Exists => Root.Exists(ListPath);

    public string PathOf(Layer layer) => Base + layer.Suffix;

    /// <summary>The header of an overlay, in the volume's own directory, that lies on a layer.</summary>
    public Qcow2Header OverlayHeader(Layer onto, long size) => new(size, Path.GetFileName(PathOf(onto)), onto.Format);

    public LayerTree Read()
    {
        try
        {
            using SafeFileHandle file = Root.OpenRead(ListPath);
            byte[] content = new byte[LayerTree.MaxLength];
            int length = RandomAccess.Read(file, content, 0);
            return LayerTree.Parse(content.AsSpan(0, length));
        }
        catch (FormatException e)
        {
            throw new QubesException(QubesErrorNames.StoragePool, $"The layer list of volume {Base} is damaged", e);
        }
    }

    /// <summary>Writes a list under another name, to be renamed into place.</summary>
    public void Write(string path, LayerTree tree)
    {
        using SafeFileHandle file = Root.Create(path);
        RandomAccess.Write(file, tree.Write(), 0);
        FileContent.Sync(file);
    }
}
