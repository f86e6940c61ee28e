namespace Qubes.Linux;

/// <summary>What is waited for, or what happened. The values are epoll's.</summary>
[Flags]
public enum ReactorEvents : uint
{
    /// <summary>Nothing is waited for but <see cref="Error"/> and <see cref="HangUp"/>, which always are.</summary>
    None = 0,
    Readable = 0x001,
    Writable = 0x004,
    Error = 0x008,

    /// <summary>Both directions are closed: a peer that only ended its output shows as <see cref="PeerFinished"/>.</summary>
    HangUp = 0x010,

    /// <summary>The peer has ended its output.</summary>
    PeerFinished = 0x2000,
}
