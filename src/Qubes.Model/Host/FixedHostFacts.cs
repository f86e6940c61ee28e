namespace Qubes.Model.Host;

/// <summary>Host facts given as values: for offline work and as the base of the daemon's own.</summary>
public class FixedHostFacts : IHostFacts
{
    public virtual bool IsXen { get; init; }

    public virtual int MemoryMiB { get; init; } = 4096;

    public virtual int CpuCount { get; init; } = 1;

    public virtual int? Dom0MaxMemMiB { get; init; }

    public virtual string BaseDirectory { get; init; } = "/var/lib/qubes";

    public virtual string? RootThinPool { get; init; }

    public virtual string? PreferredThinPool { get; init; }

    public virtual KernelPresence FindKernel(string kernel) => KernelPresence.Installed;

    public virtual string? DefaultKernelOptions(string kernel, bool withPci) => null;

    public virtual bool SupportsMemoryHotplug(string kernel) => false;
}
