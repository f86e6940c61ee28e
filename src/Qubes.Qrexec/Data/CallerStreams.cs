namespace Qubes.Qrexec.Data;

/// <summary>The local side of a caller.</summary>
public sealed record CallerStreams
{
    /// <summary>Where the service's output goes.</summary>
    public required ILocalSink Output { get; init; }

    /// <summary>What is sent to the service's input.</summary>
    public required ILocalSource Input { get; init; }

    /// <summary>Where the service's error output goes.</summary>
    public required ILocalSink Error { get; init; }

    /// <summary>Sent before anything of <see cref="Input"/>.</summary>
    public ReadOnlyMemory<byte> Prefix { get; init; }

    /// <summary>The status of the local program that the streams belong to; null when they are our own.</summary>
    public Task<int>? Process { get; init; }

    /// <summary>Completes with the stream to read instead of <see cref="Input"/> when the local program asks for it (SIGUSR1).</summary>
    public Task<ILocalSource>? SingleSocket { get; init; }
}
