using System.Runtime.InteropServices;
using Qubes.Libvirt.Native;

namespace Qubes.Libvirt;

/// <summary>Domain events and the breaking of one connection, delivered on libvirt's event thread: receivers must not block.</summary>
/// <remarks>
/// libvirt holds a GC handle to this object per callback, freed by libvirt's own "free" call when it is done with the
/// callback; so an event that is under way while <see cref="Dispose"/> runs still finds its object.
/// </remarks>
internal sealed unsafe class EventSubscription : IDisposable
{
    private readonly LibvirtConnection _connection;
    private readonly Action<DomainEvent> _onEvent;
    private readonly Action<string> _onClosed;
    private readonly List<int> _callbacks = [];
    private bool _watchesClose;

    private EventSubscription(LibvirtConnection connection, Action<DomainEvent> onEvent, Action<string> onClosed)
    {
        _connection = connection;
        _onEvent = onEvent;
        _onClosed = onClosed;
    }

    internal static EventSubscription Create(LibvirtConnection connection, Action<DomainEvent> onEvent, Action<string> onClosed)
    {
        var subscription = new EventSubscription(connection, onEvent, onClosed);
        try
        {
            delegate* unmanaged<nint, nint, int, int, nint, int> lifecycle = &OnLifecycle;
            delegate* unmanaged<nint, nint, nint, void> reboot = &OnReboot;
            subscription.Register(ConnectionCalls.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle);
            subscription.Register(ConnectionCalls.VIR_DOMAIN_EVENT_ID_REBOOT, reboot);
            subscription.WatchClose();
            return subscription;
        }
        catch
        {
            subscription.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var callback in _callbacks)
        {
            if (ConnectionCalls.DomainEventDeregisterAny(_connection.Handle, callback) < 0)
                LibraryCalls.ResetLastError(); // The connection is broken: nothing will be delivered any more.
        }

        _callbacks.Clear();
        if (_watchesClose && ConnectionCalls.UnregisterCloseCallback(_connection.Handle, &OnClosed) < 0)
            LibraryCalls.ResetLastError();
        _watchesClose = false;
    }

    private void Register(int eventId, void* callback)
    {
        var self = GCHandle.Alloc(this);
        var id = ConnectionCalls.DomainEventRegisterAny(_connection.Handle, 0, eventId, callback, GCHandle.ToIntPtr(self), &FreeSelf);
        if (id < 0)
            self.Free();
        _callbacks.Add(Check.Result(id, "virConnectDomainEventRegisterAny"));
    }

    private void WatchClose()
    {
        var self = GCHandle.Alloc(this);
        if (ConnectionCalls.RegisterCloseCallback(_connection.Handle, &OnClosed, GCHandle.ToIntPtr(self), &FreeSelf) >= 0)
        {
            _watchesClose = true;
            return;
        }

        // Drivers inside this process cannot break and have no such callback.
        self.Free();
        LibraryCalls.ResetLastError();
    }

    [UnmanagedCallersOnly]
    private static int OnLifecycle(nint connection, nint domain, int kind, int detail, nint opaque)
    {
        Deliver(domain, (DomainEventKind)kind, detail, opaque);
        return 0;
    }

    [UnmanagedCallersOnly]
    private static void OnReboot(nint connection, nint domain, nint opaque) => Deliver(domain, DomainEventKind.Rebooted, 0, opaque);

    [UnmanagedCallersOnly]
    private static void OnClosed(nint connection, int reason, nint opaque)
    {
        if (GCHandle.FromIntPtr(opaque).Target is EventSubscription subscription)
        {
            subscription._onClosed(reason switch
            {
                1 => "end of file",
                2 => "no answer to keep-alive messages",
                3 => "closed by us",
                _ => "input/output error",
            });
        }
    }

    [UnmanagedCallersOnly]
    private static void FreeSelf(nint opaque) => GCHandle.FromIntPtr(opaque).Free();

    private static void Deliver(nint domain, DomainEventKind kind, int detail, nint opaque)
    {
        if (GCHandle.FromIntPtr(opaque).Target is EventSubscription subscription)
            subscription._onEvent(new DomainEvent(LibvirtDomain.NameOf(domain), LibvirtDomain.UuidOf(domain), kind, detail));
    }
}
