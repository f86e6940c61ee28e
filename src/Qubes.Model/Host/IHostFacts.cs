namespace Qubes.Model.Host;

/// <summary>
/// What the model must know of the machine to compute defaults and judge values. Answered at once from what is known:
/// implementations read nothing slow here.
/// </summary>
public interface IHostFacts
{
    /// <summary>The hypervisor is Xen: memory balancing and the Xen store exist.</summary>
    bool IsXen { get; }

    /// <summary>Memory of the host in MiB.</summary>
    int MemoryMiB { get; }

    /// <summary>CPUs of the host.</summary>
    int CpuCount { get; }

    /// <summary>dom0's maximum memory in MiB; null if it cannot be told.</summary>
    int? Dom0MaxMemMiB { get; }

    /// <summary>The directory of the state, <c>/var/lib/qubes</c> under the root prefix.</summary>
    string BaseDirectory { get; }

    /// <summary>The volume group and thin pool that hold the root file system, as <c>GROUP/POOL</c>; null if it is not on one.</summary>
    string? RootThinPool { get; }

    /// <summary>The thin pool named by the environment variable <c>DEFAULT_LVM_POOL</c>; null if unset.</summary>
    string? PreferredThinPool { get; }

    /// <summary>Whether a kernel directory of this (validated, non-empty) name exists and is complete.</summary>
    KernelPresence FindKernel(string kernel);

    /// <summary>The trimmed content of the kernel's own default options file, for qubes with or without PCI devices; null without one.</summary>
    string? DefaultKernelOptions(string kernel, bool withPci);

    /// <summary>The kernel directory says that the kernel supports memory hotplug.</summary>
    bool SupportsMemoryHotplug(string kernel);
}
