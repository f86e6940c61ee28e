namespace Qubes.Linux;

/// <summary>How a non-blocking socket call ended.</summary>
public enum SocketResult
{
    /// <summary>It did what was asked.</summary>
    Done,

    /// <summary>Nothing could be done now; wait for the descriptor.</summary>
    WouldBlock,

    /// <summary>The peer has ended its output and everything it sent was read.</summary>
    EndOfInput,

    /// <summary>The connection is broken, or the peer reads no more.</summary>
    Broken,

    /// <summary>The process or the system is out of descriptors or memory.</summary>
    NoResources,
}
