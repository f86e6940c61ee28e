namespace Qubes.Qrexec.Data;

/// <summary>The local side of a service: its streams and how it ends.</summary>
public sealed record ServiceStreams
{
    /// <summary>What the caller sends goes here.</summary>
    public required ILocalSink Input { get; init; }

    /// <summary>What the caller gets as standard output.</summary>
    public required ILocalSource Output { get; init; }

    /// <summary>What the caller gets as error output; null when the service has none that is ours.</summary>
    public ILocalSource? Error { get; init; }

    /// <summary>The status of the process; null for a socket service, which has none.</summary>
    public Task<int>? Process { get; init; }

    /// <summary>For a socket service: completes when its peer is gone in both directions.</summary>
    public Func<CancellationToken, Task>? Hangup { get; init; }

    /// <summary>The call ends when the caller closes its input (socket services).</summary>
    public bool ExitOnClientEof { get; init; }

    /// <summary>The call ends when the service closes its side (socket services).</summary>
    public bool ExitOnServiceEof { get; init; }

    /// <summary>Completes with the stream to read instead of <see cref="Output"/> when the service asks for it (SIGUSR1); null where it can not.</summary>
    public Task<ILocalSource>? SingleSocket { get; init; }
}
