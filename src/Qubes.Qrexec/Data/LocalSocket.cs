using System.Net.Sockets;

namespace Qubes.Qrexec.Data;

/// <summary>A socket as local end, in either direction or both. The socket stays its owner's.</summary>
public sealed class LocalSocket(Socket socket) : ILocalSource, ILocalSink
{
    /// <summary>The socket itself.</summary>
    public Socket Socket { get; } = socket;

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await Socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken);
        }
        catch (SocketException)
        {
            // A process that dies with our bytes unread resets the connection: for its output that is an ordinary end.
            return 0;
        }
    }

    public async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        try
        {
            while (!data.IsEmpty)
            {
                data = data[await Socket.SendAsync(data, SocketFlags.None, cancellationToken)..];
            }

            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    void ILocalSource.Close() => Shutdown(SocketShutdown.Receive);

    void ILocalSink.Close() => Shutdown(SocketShutdown.Send);

    private void Shutdown(SocketShutdown how)
    {
        try
        {
            Socket.Shutdown(how);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Gone already.
        }
    }
}
