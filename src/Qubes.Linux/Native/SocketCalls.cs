using System.Runtime.InteropServices;

namespace Qubes.Linux.Native;

/// <summary>libc: sockets, where .NET has no call. Raw: callers check results.</summary>
internal static unsafe partial class SocketCalls
{
    public const int AF_UNIX = 1;
    public const int AF_NETLINK = 16;
    public const int NETLINK_KOBJECT_UEVENT = 15;
    public const int SOCK_STREAM = 1;
    public const int SOCK_DGRAM = 2;
    public const int SOCK_CLOEXEC = 0x80000;

    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)]
    internal static partial int SocketPair(int domain, int type, int protocol, int* fds);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    internal static partial int Bind(SafeHandle socket, byte* address, uint length);
}
