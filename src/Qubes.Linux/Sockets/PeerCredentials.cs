using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Qubes.Linux;

/// <summary>Who is at the other end of a UNIX socket, as the kernel recorded it when the connection was made.</summary>
/// <param name="ProcessId">Zero when the peer lives in another pid namespace.</param>
public readonly record struct PeerCredentials(int ProcessId, uint UserId, uint GroupId)
{
    private const int SOL_SOCKET = 1;
    private const int SO_PEERCRED = 17;

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
