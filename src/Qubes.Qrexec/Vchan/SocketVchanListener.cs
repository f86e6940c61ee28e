using System.Net.Sockets;

namespace Qubes.Qrexec.Vchan;

/// <summary>
/// Server end of a socket vchan. The socket is removed as soon as its one client is there: a later client of the same port must wait for the next
/// server instead of reaching this one, which would never answer it.
/// </summary>
internal sealed class SocketVchanListener(string path) : IVchanListener
{
    private Socket? _socket;

    public void Bind()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            File.Delete(path);
            socket.Bind(new UnixDomainSocketEndPoint(path));
            socket.Listen(1);
            _socket = socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async ValueTask<IVchan> AcceptAsync(CancellationToken cancellationToken = default)
    {
        if (_socket is null)
        {
            Bind();
        }

        Socket client = await _socket!.AcceptAsync(cancellationToken);
        Close();
        return new SocketVchan(client);
    }

    public ValueTask DisposeAsync()
    {
        Close();
        return default;
    }

    private void Close()
    {
        if (_socket is { } socket)
        {
            _socket = null;
            File.Delete(path);
            socket.Dispose();
        }
    }
}
