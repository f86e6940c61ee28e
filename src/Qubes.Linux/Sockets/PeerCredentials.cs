using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Qubes.Linux;

/// <summary>Who is at the other end of a UNIX socket, as the kernel recorded it when the connection was made.</summary>
/// <param name="ProcessId">Zero when the peer lives in another pid namespace.</param>
public readonly record struct PeerCredentials(int ProcessId, uint UserId, uint GroupId)
{
    private const int SOL_SOCKET = 1;
    private const int SO_PEERCRED = 17;

    /// <summary>As <see cref="Of(Socket)"/>, of a socket held by its descriptor.</summary>
    /// <exception cref="LinuxException">The socket is not a connected UNIX socket.</exception>
    public static unsafe PeerCredentials Of(SafeHandle socket)
    {
        // struct ucred { pid_t pid; uid_t uid; gid_t gid; }
        uint* ucred = stackalloc uint[3];
        int length = 3 * sizeof(uint);
        return SocketNative.GetOption(socket, SOL_SOCKET, SO_PEERCRED, ucred, ref length) == 0
            ? new PeerCredentials((int)ucred[0], ucred[1], ucred[2])
            : throw LinuxException.FromLastError("getsockopt(SO_PEERCRED)");
    }

    /// <exception cref="SocketException">The socket is not a connected UNIX socket.</exception>
    public static PeerCredentials Of(Socket socket)
    {
        // struct ucred { pid_t pid; uid_t uid; gid_t gid; }, native endian
        Span<byte> ucred = stackalloc byte[12];
        socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, ucred);
        return new PeerCredentials(
            MemoryMarshal.Read<int>(ucred), MemoryMarshal.Read<uint>(ucred[4..]), MemoryMarshal.Read<uint>(ucred[8..]));
    }
}
