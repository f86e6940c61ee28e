using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// Tells when the peer of a stream socket is gone in both directions, even while received bytes are unread and nothing is being written. One thread for
/// all sockets of the process.
/// </summary>
public static class HangupWatcher
{
    private const uint EPOLLONESHOT = 1u << 30;
    private const int EventsAtOnce = 64;

    // See ProcessWatcher: struct epoll_event is packed on x86-64.
    private static readonly bool IsPacked = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int DataOffset = IsPacked ? 4 : 8;
    private static readonly int EventSize = IsPacked ? 12 : 16;

    private static readonly Lock Gate = new();
    private static readonly Dictionary<long, TaskCompletionSource> Watched = [];
    private static readonly SafeFileHandle Epoll = StartThread();
    private static long _nextKey;

    /// <summary>Completes at the hang-up. The socket must stay open until then or until the wait is cancelled.</summary>
    public static async Task WaitAsync(Socket socket, CancellationToken cancellationToken)
    {
        TaskCompletionSource hungUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var key = Watch(socket.SafeHandle, hungUp);
        try
        {
            await hungUp.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            Forget(socket.SafeHandle, key);
        }
    }

    private static unsafe long Watch(SafeHandle socket, TaskCompletionSource hungUp)
    {
        long key;
        lock (Gate)
        {
            key = ++_nextKey;
            Watched.Add(key, hungUp);
        }

        // EPOLLHUP and EPOLLERR are reported without being asked for.
        byte* request = stackalloc byte[16];
        *(uint*)request = EPOLLONESHOT;
        *(long*)(request + DataOffset) = key;
        if (PollCalls.EpollControl(Epoll, PollCalls.EPOLL_CTL_ADD, socket, request) == 0)
            return key;
        var failure = LinuxException.FromLastError("epoll_ctl");
        lock (Gate)
            Watched.Remove(key);
        throw failure;
    }

    private static unsafe void Forget(SafeHandle socket, long key)
    {
        lock (Gate)
            Watched.Remove(key);
        if (socket.IsClosed)
            return;
        byte* ignored = stackalloc byte[16];
        _ = PollCalls.EpollControl(Epoll, PollCalls.EPOLL_CTL_DEL, socket, ignored);
    }

    private static SafeFileHandle StartThread()
    {
        var epoll = PollCalls.EpollCreate(PollCalls.EPOLL_CLOEXEC);
        if (epoll.IsInvalid)
            throw LinuxException.FromLastError("epoll_create1");
        new Thread(() => Run(epoll)) { Name = "hang-up watcher", IsBackground = true }.Start();
        return epoll;
    }

    private static unsafe void Run(SafeFileHandle epoll)
    {
        byte* events = stackalloc byte[EventsAtOnce * EventSize];
        while (true)
        {
            var count = PollCalls.EpollWait(epoll, events, EventsAtOnce, -1);
            if (count < 0 && Marshal.GetLastPInvokeError() != Errno.EINTR)
                throw LinuxException.FromLastError("epoll_wait");
            for (var i = 0; i < count; i++)
            {
                lock (Gate)
                {
                    if (Watched.Remove(*(long*)(events + i * EventSize + DataOffset), out var hungUp))
                        hungUp.TrySetResult();
                }
            }
        }
    }
}
