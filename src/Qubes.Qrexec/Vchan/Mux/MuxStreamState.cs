namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>Life of one stream, as its own end sees it.</summary>
internal enum MuxStreamState
{
    /// <summary>Opened here, not yet answered.</summary>
    Opening,

    /// <summary>Opened by the peer, not yet taken by a listener.</summary>
    Parked,

    /// <summary>Data may flow; one direction may have ended.</summary>
    Open,

    /// <summary>The peer refused it.</summary>
    Refused,

    /// <summary>Reset by either end, or lost with the link.</summary>
    Dead,
}
