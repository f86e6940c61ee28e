using Qubes.Model.Classes;

namespace Qubes.Lifecycle.Hypervisors;

/// <summary>Which domain: found by UUID; the name is for lanes and reports.</summary>
public readonly record struct DomainKey(string Name, Guid Uuid)
{
    public static DomainKey Of(QubesVM qube) => new(qube.Name, qube.Uuid.Value);
}
