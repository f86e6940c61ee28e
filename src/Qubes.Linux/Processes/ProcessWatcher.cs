using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// The one thread that waits for processes to end. It sleeps in <c>epoll_wait</c> over pidfds, never reaps by number or
/// "any child", and so does not disturb anybody else who has children in this process.
/// </summary>
internal static unsafe class ProcessWatcher
{
    // struct epoll_event is packed on x86-64: events u32 @0, data u64 @4 (12 bytes); elsewhere data is @8 (16 bytes).
    private static readonly bool IsPacked = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int DataOffset = IsPacked ? 4 : 8;
    private static readonly int EventSize = IsPacked ? 12 : 16;
    private const int EventsAtOnce = 64;

    private static readonly Lock Gate = new();
    private static readonly Dictionary<long, (PidHandle Process, Action OnExit)> Watched = [];
    private static readonly SafeFileHandle Epoll = StartThread();
    private static long _nextKey;

    /// <summary>Calls <paramref name="onExit"/> once on the thread pool when the process has ended.</summary>
    internal static void Watch(PidHandle process, Action onExit)
    {
        long key;
        lock (Gate)
        {
            key = ++_nextKey;
            Watched.Add(key, (process, onExit));
        }

        byte* request = stackalloc byte[16];
        *(uint*)request = PollCalls.EPOLLIN;
        *(long*)(request + DataOffset) = key;
        if (PollCalls.EpollControl(Epoll, PollCalls.EPOLL_CTL_ADD, process, request) == 0)
            return;
        var failure = LinuxException.FromLastError("epoll_ctl");
        lock (Gate)
            Watched.Remove(key);
        throw failure;
    }

    private static SafeFileHandle StartThread()
    {
        var epoll = PollCalls.EpollCreate(PollCalls.EPOLL_CLOEXEC);
        if (epoll.IsInvalid)
            throw LinuxException.FromLastError("epoll_create1");
        new Thread(() => Run(epoll)) { Name = "process watcher", IsBackground = true }.Start();
        return epoll;
    }

    private static void Run(SafeFileHandle epoll)
    {
        byte* events = stackalloc byte[EventsAtOnce * EventSize];
        while (true)
        {
            var count = PollCalls.EpollWait(epoll, events, EventsAtOnce, -1);
            if (count < 0 && Marshal.GetLastPInvokeError() != Errno.EINTR)
                throw LinuxException.FromLastError("epoll_wait");
            for (var i = 0; i < count; i++)
                Report(epoll, *(long*)(events + i * EventSize + DataOffset));
        }
    }

    private static void Report(SafeFileHandle epoll, long key)
    {
        (PidHandle Process, Action OnExit) watched;
        lock (Gate)
        {
            if (!Watched.Remove(key, out watched))
                return;
        }

        byte* ignored = stackalloc byte[16];
        _ = PollCalls.EpollControl(epoll, PollCalls.EPOLL_CTL_DEL, watched.Process, ignored);
        ThreadPool.UnsafeQueueUserWorkItem(static onExit => onExit(), watched.OnExit, preferLocal: false);
    }
}
