using System.Runtime.InteropServices;

namespace Qubes.Linux.Native;

/// <summary>libc: sockets, where .NET has no call. Raw: callers check results.</summary>
internal static unsafe partial class SocketCalls
{
    public const int AF_UNIX = 1;
    public const int SOCK_STREAM = 1;
    public const int SOCK_CLOEXEC = 0x80000;

    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)]
    internal static partial int SocketPair(int domain, int type, int protocol, int* fds);
}
