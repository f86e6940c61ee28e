using Qubes.Storage;

namespace Qubes.Fuzz.Targets;

/// <summary>Headers of images that come back from a hypervisor process.</summary>
internal sealed class Qcow2HeaderTarget : IFuzzTarget
{
    public string Name => "qcow2-header";

    public IEnumerable<byte[]> Seeds =>
    [
        new Qcow2Header(10L << 30, "root.1.img", DiskFormat.Raw).WriteEmptyImage()[..512],
        new Qcow2Header(1 << 20, "../../vm-templates/base/root.12.qcow2", DiskFormat.Qcow2).WriteEmptyImage()[..512],
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            Qcow2Header header = Qcow2Header.Parse(input);
            if (header.BackingName is { Length: 0 or > 1023 } || header.Size is < 0 or > VolumePlan.MaxSize)
            {
                throw new InvalidOperationException("A header beyond the limits was accepted.");
            }
        }
        catch (FormatException)
        {
            // The documented refusal.
        }
    }
}

/// <summary>Lists of layers, which an administrator may have edited.</summary>
internal sealed class LayerTreeTarget : IFuzzTarget
{
    public string Name => "layer-tree";

    public IEnumerable<byte[]> Seeds =>
    [
        "qubes-layers 1\nhead 3\nlayer 1 1 raw 0 1048576 5 hidden\nlayer 2 2 qcow2 1 1048576 6 revision\nlayer 3 3 qcow2 2 1048576 7 hidden\nend\n"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            LayerTree tree = LayerTree.Parse(input);
            // A circle would never end here.
            _ = tree.Layers.Where(layer => layer.Parent == 0).SelectMany(tree.SubtreeOf).Count();
            _ = LayerTree.Parse(tree.Write());
        }
        catch (FormatException)
        {
            // The documented refusal.
        }
    }
}

/// <summary>Records of interrupted changes.</summary>
internal sealed class IntentRecordTarget : IFuzzTarget
{
    public string Name => "intent-record";

    public IEnumerable<byte[]> Seeds =>
    [
        new IntentRecord("commit", "appvms/work/private", IsDecided: true, ["a"], [IntentStep.Rename("a", "b"), IntentStep.Remove("c")]).Write(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            _ = IntentRecord.Parse(input.ToArray());
        }
        catch (FormatException)
        {
            // The documented refusal.
        }
    }
}
