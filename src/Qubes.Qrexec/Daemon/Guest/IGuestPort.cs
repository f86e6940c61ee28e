using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Daemon.Guest;

/// <summary>How this daemon reaches its guest.</summary>
internal interface IGuestPort : IAsyncDisposable
{
    /// <summary>Completes when the guest is gone for good; until then a lost connection may come back.</summary>
    Task Gone { get; }

    /// <summary>Largest body of a control message the agent is sure to take in.</summary>
    int MaxControlBody { get; }

    /// <summary>Connects to a port the guest serves; <paramref name="asDomain"/> is the peer the guest sees. Waits for the server.</summary>
    ValueTask<IVchan> ConnectAsync(uint asDomain, uint port, CancellationToken cancellation);

    /// <summary>
    /// Carries the data between this guest, which is about to serve <paramref name="port"/> for <paramref name="peer"/>, and the
    /// qube <paramref name="peer"/>, which is about to connect. Does nothing where guests reach each other themselves.
    /// </summary>
    void StartRelay(uint peer, uint port);
}
