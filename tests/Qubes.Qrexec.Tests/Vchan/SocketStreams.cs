using System.Net.Sockets;

namespace Qubes.Qrexec.Tests.Vchan;

/// <summary>Connected pairs of real sockets.</summary>
internal static class SocketStreams
{
    public static (NetworkStream One, NetworkStream Other) Pair()
    {
        (Socket one, Socket other) = Sockets();
        return (new NetworkStream(one, ownsSocket: true), new NetworkStream(other, ownsSocket: true));
    }

    public static (Socket One, Socket Other) Sockets()
    {
        using Scratch scratch = new();
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        UnixDomainSocketEndPoint endPoint = new(scratch.Path("s"));
        listener.Bind(endPoint);
        listener.Listen(1);
        Socket one = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        one.Connect(endPoint);
        return (one, listener.Accept());
    }
}
