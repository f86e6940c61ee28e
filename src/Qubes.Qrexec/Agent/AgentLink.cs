using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Data;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Agent;

/// <summary>The control link to one life of the daemon. Owns the vchan.</summary>
internal sealed class AgentLink : IAsyncDisposable
{
    private readonly IVchan _vchan;
    private readonly SemaphoreSlim _sending = new(1);

    private AgentLink(IVchan vchan, FrameReader reader)
    {
        _vchan = vchan;
        Reader = reader;
    }

    public FrameReader Reader { get; }

    /// <summary>Our HELLO first, then the daemon's, which repeats our version or lowers it.</summary>
    /// <exception cref="QrexecProtocolException">The daemon says something else, or is too old for the requests we send.</exception>
    public static async Task<AgentLink> OpenAsync(IVchan vchan, CancellationToken cancellationToken)
    {
        await vchan.WriteAsync(QrexecHello.Message(QrexecVersion.Control), cancellationToken);
        FrameReader reader = new(vchan);
        QrexecHeader header = await reader.ReadHeaderAsync(cancellationToken) ?? throw new VchanClosedException();
        if (!QrexecHello.IsHello(header))
        {
            throw new QrexecProtocolException("the daemon does not begin with HELLO");
        }

        uint version = QrexecHello.ReadVersion(await reader.ReadBodyAsync(cancellationToken));
        return QrexecVersion.Negotiate(QrexecVersion.Control, version) != 0
            ? new(vchan, reader)
            : throw new QrexecProtocolException("the daemon's protocol version is too old");
    }

    /// <summary>Sends a message; does nothing when the daemon is gone, since the reading side sees that, too.</summary>
    public async Task SendAsync(QrexecMessageType type, byte[] body)
    {
        await _sending.WaitAsync();
        try
        {
            await _vchan.WriteAsync(QrexecHeader.Message(type, body));
        }
        catch (Exception e) when (e is VchanClosedException or ObjectDisposedException)
        {
            // See above.
        }
        finally
        {
            _sending.Release();
        }
    }

    public Task SendTerminatedAsync(ExecParams call) => SendAsync(QrexecMessageType.ConnectionTerminated, call.ToBytes());

    public ValueTask DisposeAsync() => _vchan.DisposeAsync();
}
