using System.Net.Sockets;

namespace Qubes.Qrexec.Vchan;

/// <summary>A vchan that is one connected stream socket. Owns the socket.</summary>
public sealed class SocketVchan(Socket socket) : IVchan
{
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _readEnded;

    public Task Closed => _closed.Task;

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_readEnded)
        {
            return 0;
        }

        try
        {
            int n = await socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken);
            if (n > 0 || buffer.IsEmpty)
            {
                return n;
            }
        }
        catch (SocketException e) when (IsDisconnect(e))
        {
            // The peer closed with our bytes unread: what it had sent has been read by now, the rest is an ordinary end.
            _closed.TrySetResult();
        }

        _readEnded = true;
        return 0;
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        try
        {
            while (!data.IsEmpty)
            {
                data = data[await socket.SendAsync(data, SocketFlags.None, cancellationToken)..];
            }
        }
        catch (SocketException e) when (IsDisconnect(e))
        {
            _closed.TrySetResult();
            throw new VchanClosedException(e);
        }
    }

    public ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException e) when (IsDisconnect(e))
        {
            _closed.TrySetResult();
        }

        return default;
    }

    /// <summary>Completes when a read would not wait: there are bytes, or the peer has ended.</summary>
    public async Task WaitReadableAsync(CancellationToken cancellationToken) =>
        await socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, cancellationToken);

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        _closed.TrySetResult();
        return default;
    }

    private static bool IsDisconnect(SocketException e) =>
        e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown or SocketError.NotConnected;
}
