using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Daemon.Guest;

/// <summary>A guest behind UNIX-socket vchans: every vchan is a socket of its own, and guests reach each other without us.</summary>
internal sealed class SocketGuestPort(string directory, uint domain) : IGuestPort
{
    private readonly TaskCompletionSource _gone = new();

    // Nothing tells a stopped peer from one that is about to listen again.
    public Task Gone => _gone.Task;

    // Upstream's agent receives a body in one piece through a ring of this size, and waits for ever for a larger one.
    public int MaxControlBody => QrexecLimits.ControlBodyForSmallRings;

    public ValueTask<IVchan> ConnectAsync(uint asDomain, uint port, CancellationToken cancellation) =>
        new SocketVchanTransport(directory, asDomain).ConnectAsync(domain, port, cancellation);

    public void StartRelay(uint peer, uint port)
    {
        // Both guests see the same directory.
    }

    public ValueTask DisposeAsync() => default;
}
