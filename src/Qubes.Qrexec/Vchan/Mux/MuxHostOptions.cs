namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>Where the host end of one qube's link is.</summary>
public sealed record MuxHostOptions
{
    /// <summary>Domain number of the qube.</summary>
    public required uint Domain { get; init; }

    /// <summary>The UNIX socket on which the hypervisor listens for the qube's virtio-serial port.</summary>
    public required string CarrierPath { get; init; }

    /// <summary>The broker's socket, <c>NAME.broker</c>; a symbolic link <c>DOMAIN.broker</c> is made beside it.</summary>
    public required string BrokerPath { get; init; }

    /// <summary>Mode of the broker's socket.</summary>
    public UnixFileMode BrokerMode { get; init; } =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Group of the broker's socket; null leaves the process's.</summary>
    public uint? BrokerGroup { get; init; }

    /// <summary>
    /// Whether the qube may open a port of another domain now: the daemon knows which calls it has started. The link reaches that domain through its broker.
    /// </summary>
    public required Func<uint, uint, bool> MayReach { get; init; }

    /// <summary>Pause before the carrier is tried again.</summary>
    public TimeSpan ReconnectPause { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Bounds of the link.</summary>
    public MuxOptions Link { get; init; } = new();
}
