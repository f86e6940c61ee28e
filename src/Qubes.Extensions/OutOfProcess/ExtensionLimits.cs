namespace Qubes.Extensions.OutOfProcess;

/// <summary>What an extension may take, and how patient the daemon is with it.</summary>
public sealed record ExtensionLimits
{
    /// <summary>The longest message in either direction, in bytes.</summary>
    public int MaxLineBytes { get; init; } = 1 << 20;

    /// <summary>Bytes of messages an extension has not read yet. One that falls further behind is ended.</summary>
    public int BacklogBytes { get; init; } = 4 << 20;

    /// <summary>Messages a second; what comes faster waits in the pipe.</summary>
    public double MessagesPerSecond { get; init; } = 1000;

    /// <summary>Messages that may come at once.</summary>
    public double MessageBurst { get; init; } = 2000;

    /// <summary>Lines of its standard error that are logged at once, and later each second a fifth of it.</summary>
    public double LogBurst { get; init; } = 50;

    /// <summary>Requests of one extension worked on at a time.</summary>
    public int ConcurrentRequests { get; init; } = 64;

    /// <summary>From its start to the answer to <c>initialize</c>.</summary>
    public TimeSpan HandshakeDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Questions in a row without an answer in time: it hangs, and is started anew.</summary>
    public int MissedDeadlines { get; init; } = 3;

    /// <summary>The pause before the first new start; each further one is twice as long.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(250);

    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Failures in a row after which it is not started again. A run of <see cref="HealthyAfter"/> begins a new row.</summary>
    public int Failures { get; init; } = 8;

    public TimeSpan HealthyAfter { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long the daemon's start waits for the extensions' first handshakes.</summary>
    public TimeSpan StartPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From being told to end to being killed.</summary>
    public TimeSpan EndPatience { get; init; } = TimeSpan.FromSeconds(1);
}
