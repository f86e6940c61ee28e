using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Qubes.Linux;

/// <summary>
/// Waits for descriptors, timers and wake-ups by epoll, and calls their handlers, all on the thread that calls
/// <see cref="Wait"/>. Handing every small request from a socket thread to the loop and back costs two thread switches,
/// more than the whole of a read-only call; here the loop itself does the non-blocking socket calls.
/// </summary>
public sealed class Reactor : ILoopWaiter
{
    private const int EventsPerWait = 64;
    private const int EINTR = 4;
    private const ulong WakeToken = ulong.MaxValue;

    private readonly SafeFileHandle _epoll;
    private readonly SafeFileHandle _wake;
    private readonly Action<Exception> _onHandlerFailure;
    private readonly List<ReactorRegistration?> _slots = [];
    private readonly Stack<int> _freeSlots = new();
    private readonly List<ReactorTimer> _timers = [];
    private readonly EpollEvent[] _events = new EpollEvent[EventsPerWait];
    private uint _generation;

    // 1 while a wake-up is on its way, so that a burst of posts costs one write.
    private int _wakePending;

    /// <param name="onHandlerFailure">Told of exceptions that escape a handler: one connection's trouble stays its own.</param>
    public Reactor(Action<Exception> onHandlerFailure)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            throw new PlatformNotSupportedException("epoll_event is laid out for x86-64");
        }

        _onHandlerFailure = onHandlerFailure;
        _epoll = Owned(EpollNative.Create(EpollNative.Cloexec));
        _wake = Owned(EpollNative.EventFd(0, EpollNative.Cloexec | EpollNative.Nonblock));
        EpollEvent what = new() { Events = (uint)ReactorEvents.Readable, Data = WakeToken };
        Check(EpollNative.Control(_epoll, EpollNative.ControlAdd, _wake, ref what));
    }

    /// <summary>Begins to watch a non-blocking descriptor, which stays the caller's.</summary>
    public ReactorRegistration Add(SafeHandle descriptor, ReactorEvents events, IReactorHandler handler)
    {
        int slot = _freeSlots.TryPop(out int free) ? free : _slots.Count;
        ReactorRegistration registration = new(this, descriptor, handler, slot, ++_generation);
        EpollEvent what = new() { Events = (uint)events, Data = Token(registration) };
        if (EpollNative.Control(_epoll, EpollNative.ControlAdd, descriptor, ref what) < 0)
        {
            if (slot < _slots.Count)
            {
                _freeSlots.Push(slot);
            }

            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        if (slot == _slots.Count)
        {
            _slots.Add(registration);
        }
        else
        {
            _slots[slot] = registration;
        }

        return registration;
    }

    /// <summary>A timer that calls back on the loop's thread.</summary>
    public ReactorTimer CreateTimer(Action callback)
    {
        ReactorTimer timer = new(this, callback);
        _timers.Add(timer);
        return timer;
    }

    public unsafe void Wait(bool block)
    {
        int timeout = block ? TimeoutMilliseconds() : 0;
        int count;
        fixed (EpollEvent* events = _events)
        {
            count = EpollNative.Wait(_epoll, events, EventsPerWait, timeout);
        }

        if (count < 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno != EINTR)
            {
                throw new Win32Exception(errno);
            }
        }

        for (int i = 0; i < count; i++)
        {
            Deliver(_events[i]);
        }

        FireTimers();
    }

    public void Wake()
    {
        if (Interlocked.Exchange(ref _wakePending, 1) == 0)
        {
            _ = EpollNative.WriteCounter(_wake, 1, sizeof(ulong));
        }
    }

    public void Dispose()
    {
        _epoll.Dispose();
        _wake.Dispose();
    }

    internal void Change(ReactorRegistration registration, ReactorEvents events)
    {
        EpollEvent what = new() { Events = (uint)events, Data = Token(registration) };
        Check(EpollNative.Control(_epoll, EpollNative.ControlModify, registration.Descriptor, ref what));
    }

    internal void Remove(ReactorRegistration registration)
    {
        if (_slots[registration.Slot] != registration)
        {
            return;
        }

        _slots[registration.Slot] = null;
        _freeSlots.Push(registration.Slot);
        EpollEvent what = default;
        Check(EpollNative.Control(_epoll, EpollNative.ControlDelete, registration.Descriptor, ref what));
    }

    internal void Remove(ReactorTimer timer) => _timers.Remove(timer);

    // slot in the low half, generation in the high half: an event still queued for a closed descriptor finds no owner.
    private static ulong Token(ReactorRegistration registration) => ((ulong)registration.Generation << 32) | (uint)registration.Slot;

    private void Deliver(EpollEvent what)
    {
        if (what.Data == WakeToken)
        {
            // Cleared before the queue is looked at again: a post after this writes anew.
            ulong ignored = 0;
            _ = EpollNative.ReadCounter(_wake, ref ignored, sizeof(ulong));
            Interlocked.Exchange(ref _wakePending, 0);
            return;
        }

        int slot = (int)(what.Data & uint.MaxValue);
        if (_slots[slot] is not { } registration || registration.Generation != (uint)(what.Data >> 32))
        {
            return;
        }

        try
        {
            registration.Handler.OnReady((ReactorEvents)what.Events);
        }
        catch (Exception e)
        {
            _onHandlerFailure(e);
        }
    }

    private int TimeoutMilliseconds()
    {
        long due = long.MaxValue;
        foreach (ReactorTimer timer in _timers)
        {
            due = Math.Min(due, timer.Due);
        }

        return due == long.MaxValue ? -1 : (int)Math.Clamp(due - Environment.TickCount64, 0, int.MaxValue);
    }

    private void FireTimers()
    {
        if (_timers.Count == 0)
        {
            return;
        }

        long now = Environment.TickCount64;
        for (int i = _timers.Count - 1; i >= 0; i--)
        {
            // A callback may remove timers, so the index can have run past the end.
            if (i >= _timers.Count || _timers[i].Due > now)
            {
                continue;
            }

            ReactorTimer timer = _timers[i];
            timer.Stop();
            try
            {
                timer.Callback();
            }
            catch (Exception e)
            {
                _onHandlerFailure(e);
            }
        }
    }

    private static SafeFileHandle Owned(int descriptor)
    {
        Check(descriptor);
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private static void Check(int result)
    {
        if (result < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }
}
