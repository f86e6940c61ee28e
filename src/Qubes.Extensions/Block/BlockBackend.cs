namespace Qubes.Extensions.Block;

/// <summary>What is known of the block devices of one qube.</summary>
internal sealed class BlockBackend
{
    public IReadOnlyList<BlockDevice> Devices { get; set; } = [];

    /// <summary>The look at them that is under way.</summary>
    public Task? Looking { get; set; }

    /// <summary>Something changed since it began.</summary>
    public bool LookAgain { get; set; }
}
