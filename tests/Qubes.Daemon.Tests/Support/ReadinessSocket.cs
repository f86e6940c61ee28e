using System.Net.Sockets;
using System.Text;

namespace Qubes.Daemon.Tests;

/// <summary>The socket on which a service tells systemd that it is ready.</summary>
internal sealed class ReadinessSocket : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public ReadinessSocket(string path)
    {
        File.Delete(path);
        _socket.Bind(new UnixDomainSocketEndPoint(path));
        // The service may be somebody else.
        File.SetUnixFileMode(path, (UnixFileMode)0x1B6 /* 0666 */);
        Path = path;
    }

    /// <summary>The value of <c>NOTIFY_SOCKET</c>.</summary>
    public string Path { get; }

    public async Task WaitAsync()
    {
        byte[] message = new byte[4096];
        while (true)
        {
            int length = await _socket.ReceiveAsync(message);
            if (Encoding.UTF8.GetString(message, 0, length).Split('\n').Contains("READY=1"))
            {
                return;
            }
        }
    }

    public void Dispose() => _socket.Dispose();
}
