using System.Net.Sockets;

namespace Qubes.Bench;

/// <summary>
/// One call in raw bytes: connect, send, end of input, read to the end. Blocking, so that the client costs four system calls
/// and no switch of threads.
/// </summary>
internal sealed class RawCall(string path)
{
    private readonly UnixDomainSocketEndPoint _address = new(path);
    private byte[] _answer = new byte[1 << 20];

    /// <summary>The answer; valid until the next call.</summary>
    public ReadOnlySpan<byte> Run(ReadOnlySpan<byte> request)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(_address);
        socket.Send(request);
        socket.Shutdown(SocketShutdown.Send);
        int length = 0;
        while (socket.Receive(_answer.AsSpan(length)) is var read and > 0)
        {
            length += read;
            if (length == _answer.Length)
            {
                Array.Resize(ref _answer, 2 * length);
            }
        }

        return _answer.AsSpan(0, length);
    }
}
