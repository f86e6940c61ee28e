namespace Qubes.Admin.Server;

/// <summary>What one client, or all of them together, may take of the server.</summary>
public sealed record AdminServerLimits
{
    /// <summary>From accepting a connection to the end of its request; also for a reply that its reader does not take.</summary>
    public TimeSpan ClientDeadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Connections whose request is not complete. One more, and the oldest of them is closed.</summary>
    public int UnfinishedRequests { get; init; } = 1024;

    /// <summary>Bytes of events waiting for one subscriber. One that falls further behind is disconnected.</summary>
    public int StreamBacklogBytes { get; init; } = 1 << 20;
}
