using System.Net.Sockets;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Daemon;

/// <summary>
/// The control link to an agent after the exchange of HELLOs. One reader; any number of senders, one message at a time. Owns the vchan.
/// </summary>
internal sealed class ControlLink : IAsyncDisposable
{
    private readonly IVchan _vchan;
    private readonly AsyncLock _sending = new();
    private readonly byte[] _header = new byte[QrexecHeader.Size];
    private readonly byte[] _body = new byte[TriggerService.MaxBodySize];

    private ControlLink(IVchan vchan, uint version)
    {
        _vchan = vchan;
        Version = version;
    }

    /// <summary>The version both ends understand: 2, 3 or 4.</summary>
    public uint Version { get; }

    /// <summary>Reads the agent's HELLO and answers it with the number it carried, as agents expect.</summary>
    /// <exception cref="AgentProtocolException">What came is no HELLO, or of a version that is not understood.</exception>
    /// <exception cref="VchanClosedException">The agent went away.</exception>
    public static async Task<ControlLink> HandshakeAsync(IVchan vchan, CancellationToken cancellation)
    {
        byte[] hello = new byte[QrexecHeader.Size + QrexecHello.BodySize];
        await vchan.ReadExactlyAsync(hello, cancellation);
        if (!QrexecHello.IsHello(QrexecHeader.Read(hello)))
        {
            throw new AgentProtocolException("the agent's first message is no HELLO");
        }

        uint received = QrexecHello.ReadVersion(hello.AsSpan(QrexecHeader.Size));
        uint version = QrexecVersion.Negotiate(QrexecVersion.Control, received);
        if (version == 0)
        {
            throw new AgentProtocolException($"the agent speaks version {received} of the protocol, which is too old: update the qube");
        }

        await vchan.WriteAsync(QrexecHello.Message(received), cancellation);
        return new ControlLink(vchan, version);
    }

    /// <summary>
    /// The next message; the body is valid until the next call. Null when the agent is gone.
    /// </summary>
    /// <exception cref="AgentProtocolException">A message that no agent of this version may send.</exception>
    public async ValueTask<(QrexecMessageType Type, ReadOnlyMemory<byte> Body)?> ReadAsync(CancellationToken cancellation)
    {
        if (!await _vchan.TryReadExactlyAsync(_header, cancellation))
        {
            return null;
        }

        QrexecHeader header = QrexecHeader.Read(_header);
        bool acceptable = header.Type == QrexecMessageType.ConnectionTerminated
            ? header.Length == ExecParams.Size
            : TriggerService.IsAllowed(header.Type, Version) && TriggerService.IsLengthValid(header.Type, header.Length);
        if (!acceptable)
        {
            throw new AgentProtocolException(
                $"message of type 0x{(uint)header.Type:x} with {header.Length} bytes, which version {Version} does not allow");
        }

        Memory<byte> body = _body.AsMemory(0, (int)header.Length);
        await _vchan.ReadExactlyAsync(body, cancellation);
        return (header.Type, body);
    }

    /// <summary>Sends one message whole.</summary>
    /// <param name="patience">
    /// How long to wait for the messages before it; an agent that does not read lets them pile up. A message once begun is never given up.
    /// </param>
    /// <exception cref="VchanClosedException">The agent is gone.</exception>
    /// <exception cref="TimeoutException">The agent has stalled; nothing of the message was sent.</exception>
    public async Task SendAsync(QrexecMessageType type, ReadOnlyMemory<byte> body, TimeSpan patience)
    {
        using CancellationTokenSource limit = new(patience);
        AsyncLock.Holder turn;
        try
        {
            turn = await _sending.AcquireAsync(limit.Token);
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException("the agent does not read its control link", e);
        }

        using (turn)
        {
            try
            {
                await _vchan.WriteAsync(QrexecHeader.Message(type, body.Span), CancellationToken.None);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                throw new VchanClosedException(e);
            }
        }
    }

    public ValueTask DisposeAsync() => _vchan.DisposeAsync();
}
