using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Qubes.Bench;

/// <summary>Clients that follow the state, all read by the one thread that measures.</summary>
internal sealed class Followers : IDisposable
{
    private const int PatienceMs = 10_000;
    private readonly Socket[] _sockets;
    private readonly byte[] _buffer = new byte[1 << 16];

    public Followers(string path, string position, int count)
    {
        byte[] request = Encoding.ASCII.GetBytes($"admin.state.Follow+{position} dom0 name dom0\0");
        _sockets = new Socket[count];
        for (int i = 0; i < count; i++)
        {
            _sockets[i] = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = PatienceMs };
            _sockets[i].Connect(new UnixDomainSocketEndPoint(path));
            _sockets[i].Send(request);
            _sockets[i].Shutdown(SocketShutdown.Send);
        }

        WaitForAll();
    }

    /// <summary>Returns when the next change has reached every one.</summary>
    /// <returns>The time then, in ticks of <see cref="Stopwatch"/>.</returns>
    public long WaitForAll()
    {
        foreach (Socket socket in _sockets)
        {
            int length = 0;
            while (!IsWhole(_buffer.AsSpan(0, length)))
            {
                int read = socket.Receive(_buffer.AsSpan(length));
                length += read > 0 ? read : throw new InvalidOperationException("the daemon ended a stream");
            }
        }

        return Stopwatch.GetTimestamp();
    }

    public void Dispose()
    {
        foreach (Socket socket in _sockets)
        {
            socket.Dispose();
        }
    }

    private static bool IsWhole(ReadOnlySpan<byte> messages) =>
        messages.LastIndexOf("\0state-position\0"u8) is >= 0 and int at && messages[at..].EndsWith("\0\0"u8);
}
