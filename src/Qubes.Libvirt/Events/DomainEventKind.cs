namespace Qubes.Libvirt;

/// <summary>What happened to a domain: <c>virDomainEventType</c>, and a reboot inside the guest.</summary>
public enum DomainEventKind
{
    Defined = 0,
    Undefined = 1,
    Started = 2,
    Suspended = 3,
    Resumed = 4,
    Stopped = 5,

    /// <summary>The guest has powered off; the domain is about to stop.</summary>
    Shutdown = 6,
    Suspending = 7,
    Crashed = 8,

    /// <summary>The guest restarted without stopping.</summary>
    Rebooted = 100,
}
