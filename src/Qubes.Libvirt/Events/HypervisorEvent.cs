namespace Qubes.Libvirt;

/// <summary>Something the hypervisor told us, in the order it did.</summary>
public abstract record HypervisorEvent;

/// <summary>Something happened to a domain.</summary>
/// <param name="Detail">libvirt's detail of the kind of event, for example why it stopped.</param>
public sealed record DomainEvent(string Name, Guid Uuid, DomainEventKind Kind, int Detail) : HypervisorEvent;

/// <summary>The connection broke: events may be lost until <see cref="HypervisorConnected"/>.</summary>
public sealed record HypervisorDisconnected(string Reason) : HypervisorEvent;

/// <summary>Events flow (again). What happened before is to be learnt by looking at all domains.</summary>
public sealed record HypervisorConnected : HypervisorEvent;
