using System.Net.Sockets;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.IO;

namespace Qubes.Qrexec.Client;

/// <summary>A connection to the local socket of a qube's qrexec daemon, after the exchange of HELLOs.</summary>
public sealed class DaemonConnection : IDisposable
{
    // Far more than a daemon needs that is not stalled.
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(30);

    private readonly Socket _socket;

    private DaemonConnection(Socket socket) => _socket = socket;

    /// <summary>Connects and greets.</summary>
    /// <exception cref="DaemonConnectionException">
    /// No daemon, or one that does not answer as it should; see <see cref="DaemonConnectionException.IsAbsent"/>.
    /// </exception>
    public static async Task<DaemonConnection> ConnectAsync(string socketPath, CancellationToken cancellation)
    {
        Socket? socket = null;
        try
        {
            socket = await UnixAddress.ConnectAsync(socketPath, cancellation);
            (QrexecHeader header, byte[] body) = await ReceiveAsync(socket, QrexecHello.BodySize, cancellation)
                ?? throw new DaemonConnectionException("the qrexec daemon closed the connection");
            if (!QrexecHello.IsHello(header) || QrexecHello.ReadVersion(body) < QrexecVersion.Local)
            {
                throw new DaemonConnectionException("the qrexec daemon speaks another protocol");
            }

            await socket.SendAllAsync(QrexecHello.Message(QrexecVersion.Local), cancellation);
            return new DaemonConnection(socket);
        }
        catch (Exception e)
        {
            socket?.Dispose();
            throw e is SocketException or LinuxException
                ? new DaemonConnectionException($"no qrexec daemon at {socketPath}: {e.Message}", e, UnixConnect.IsAbsence(e))
                : e;
        }
    }

    /// <summary>
    /// Asks for a command to be run (or, for <see cref="QrexecMessageType.ServiceConnect"/> with port 0, a request to be connected) and
    /// returns where its data link is.
    /// </summary>
    /// <param name="peer">The domain at the other end of the data link; 0 is dom0.</param>
    /// <param name="command">The command, or the request's identifier, without NUL.</param>
    /// <exception cref="DaemonConnectionException">The daemon refused.</exception>
    public async Task<ExecParams> RequestAsync(QrexecMessageType type, uint peer, ReadOnlyMemory<byte> command, CancellationToken cancellation)
    {
        try
        {
            await SendAsync(type, new ExecRequest(new ExecParams(peer, 0), command).ToBody(), cancellation);
            (QrexecHeader header, byte[] body) = await ReceiveAsync(_socket, ExecParams.Size, cancellation)
                ?? throw new DaemonConnectionException("the qrexec daemon refused the request");
            return header.Type == type && header.Length == ExecParams.Size
                ? ExecParams.Read(body)
                : throw new DaemonConnectionException("the qrexec daemon gave an unexpected answer");
        }
        catch (SocketException e)
        {
            throw new DaemonConnectionException("the qrexec daemon refused the request", e);
        }
    }

    /// <summary>Sends one message that is not answered.</summary>
    public Task SendAsync(QrexecMessageType type, ReadOnlyMemory<byte> body, CancellationToken cancellation) =>
        _socket.SendAllAsync(QrexecHeader.Message(type, body.Span), cancellation);

    /// <summary>Waits until the daemon closes: the agent has reported the end of the call, or is gone.</summary>
    public async Task WaitClosedAsync(CancellationToken cancellation)
    {
        try
        {
            await _socket.ReceiveAsync(new byte[1], cancellation);
        }
        catch (SocketException)
        {
            // A reset is an end as well.
        }
    }

    public void Dispose() => _socket.Dispose();

    private static async Task<(QrexecHeader Header, byte[] Body)?> ReceiveAsync(Socket socket, int bodySize, CancellationToken cancellation)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(AnswerPatience);
        try
        {
            byte[] message = new byte[QrexecHeader.Size + bodySize];
            return await socket.TryReceiveExactlyAsync(message, patience.Token)
                ? (QrexecHeader.Read(message), message[QrexecHeader.Size..])
                : null;
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new DaemonConnectionException("the qrexec daemon does not answer", e);
        }
    }
}
