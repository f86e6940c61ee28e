namespace Qubes.Extensions.Block;

/// <summary>What is known of the block devices of one qube.</summary>
internal sealed class BlockBackend
{
    public IReadOnlyList<BlockDevice> Devices { get; set; } = [];

    public DeviceLook Look { get; } = new();
}
