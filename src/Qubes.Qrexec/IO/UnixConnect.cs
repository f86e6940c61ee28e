using System.Net.Sockets;
using Qubes.Linux;

namespace Qubes.Qrexec.IO;

/// <summary>What a failed connection to a UNIX socket means.</summary>
internal static class UnixConnect
{
    /// <summary>True when nobody listens: no such path (which .NET reports as AddressNotAvailable), or a socket whose owner is gone.</summary>
    public static bool IsAbsence(Exception e) => e switch
    {
        SocketException socket => socket.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.ConnectionRefused,
        LinuxException linux => linux.Errno == Errno.ENOENT,
        _ => false,
    };
}
