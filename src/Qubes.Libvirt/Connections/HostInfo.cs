namespace Qubes.Libvirt;

/// <summary>The machine the hypervisor runs on.</summary>
public readonly record struct HostInfo(ulong MemoryKiB, uint Cpus);
