namespace Qubes.Libvirt;

/// <summary>One domain in a bulk look at the hypervisor.</summary>
/// <param name="Id">The hypervisor's number of the running domain, -1 when it is not active.</param>
/// <param name="MemoryKiB">Present size of the balloon; zero when not active or not known.</param>
/// <param name="CpuTimeNanoseconds">CPU time used since its start.</param>
public readonly record struct DomainSample(
    string Name, Guid Uuid, int Id, DomainState State, int Reason, ulong MemoryKiB, ulong CpuTimeNanoseconds, uint VirtualCpus)
{
    public bool IsActive => Id >= 0;
}
