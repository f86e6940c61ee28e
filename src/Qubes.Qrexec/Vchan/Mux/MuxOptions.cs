namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>Bounds of one link. The defaults are meant for both ends; tests make them small.</summary>
public sealed record MuxOptions
{
    /// <summary>Bytes a peer may send on one stream before we have read any: memory per stream, at most.</summary>
    public int ReceiveWindow { get; init; } = 128 * 1024;

    /// <summary>Bytes accepted from local writers of one stream before the peer has granted room.</summary>
    public int SendBuffer { get; init; } = 64 * 1024;

    /// <summary>Streams that may exist at once, counting those that wait to be accepted; more are refused.</summary>
    public int MaxStreams { get; init; } = 320;

    /// <summary>First pause before HELLO is repeated while the peer has not answered; it doubles up to <see cref="HelloLongestPause"/>.</summary>
    public TimeSpan HelloFirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest pause between two HELLOs.</summary>
    public TimeSpan HelloLongestPause { get; init; } = TimeSpan.FromSeconds(30);
}
