namespace Qubes.Libvirt;

/// <summary>How many calls at a time, and for how long.</summary>
public sealed class LaneOptions
{
    /// <summary>Threads that make calls, each with a connection of its own (a libvirt daemon serves only a few calls of one connection at a time).</summary>
    public int Workers { get; init; } = 4;

    /// <summary>Hung threads that are replaced by new ones. Beyond it the hypervisor as a whole is taken to hang.</summary>
    public int ReplaceableWorkers { get; init; } = 32;

    /// <summary>From the request to the result, waiting included.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(30);
}
