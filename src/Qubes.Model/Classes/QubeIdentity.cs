using Qubes.Protocol.Names;

namespace Qubes.Model.Classes;

/// <summary>What a qube is known by; fixed for its life.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Qid">Unique, 1 to 9999; 0 is dom0.</param>
/// <param name="Uuid">The hypervisor's key.</param>
public readonly record struct QubeIdentity(QubeName Name, int Qid, QubeUuid Uuid);
