using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// Two connected UNIX stream sockets, both closed on exec: one for us, asynchronous; one for a child process, which gets
/// an ordinary blocking descriptor.
/// </summary>
public sealed class SocketPair : IDisposable
{
    private Socket? _ours;

    private SocketPair(Socket ours, SafeHandle theirs)
    {
        _ours = ours;
        Theirs = theirs;
    }

    /// <summary>The child's end. Ours to close once the child is started.</summary>
    public SafeHandle Theirs { get; }

    public static unsafe SocketPair Create()
    {
        int* fds = stackalloc int[2];
        if (SocketCalls.SocketPair(SocketCalls.AF_UNIX, SocketCalls.SOCK_STREAM | SocketCalls.SOCK_CLOEXEC, 0, fds) != 0)
            throw LinuxException.FromLastError("socketpair");
        // A SafeFileHandle for the child's end: a Socket object would make the descriptor non-blocking when used.
        var theirs = new SafeFileHandle(fds[1], ownsHandle: true);
        return new SocketPair(new Socket(new SafeSocketHandle(fds[0], ownsHandle: true)), theirs);
    }

    /// <summary>Hands over our end; disposing the pair then closes only the child's.</summary>
    public Socket TakeOurs() => Interlocked.Exchange(ref _ours, null)
        ?? throw new InvalidOperationException("Our end of the pair was already taken.");

    public void Dispose()
    {
        _ours?.Dispose();
        Theirs.Dispose();
    }
}
