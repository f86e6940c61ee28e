namespace Qubes.Lifecycle.DomainXml;

/// <summary>All that is said to the hypervisor about a qube's domain. Values are validated before they come here.</summary>
public sealed record DomainSpec
{
    public required DomainKind Kind { get; init; }

    public required string Name { get; init; }

    public required Guid Uuid { get; init; }

    public required int MemoryMiB { get; init; }

    public required int VCpus { get; init; }

    /// <summary>Kernel image to boot directly; null boots from the first disk.</summary>
    public string? KernelPath { get; init; }

    public string? InitrdPath { get; init; }

    /// <summary>The kernel's command line; null without <see cref="KernelPath"/>.</summary>
    public string? CommandLine { get; init; }

    public IReadOnlyList<DomainDisk> Disks { get; init; } = [];

    /// <summary>Devices of the host that the guest drives itself.</summary>
    public IReadOnlyList<PciAddress> HostDevices { get; init; } = [];

    /// <summary>Devices that others add.</summary>
    public IReadOnlyList<ExtraDevice> ExtraDevices { get; init; } = [];

    /// <summary>Where QEMU listens for the host end of the guest's vchan port; null without one.</summary>
    public string? ChannelPath { get; init; }

    /// <summary>File that what the guest writes to its serial console is appended to; null without one.</summary>
    public string? ConsoleLogPath { get; init; }

    /// <summary>True when both say the same.</summary>
    public bool IsSameAs(DomainSpec other) =>
        // A record compares its lists by identity: compare them apart.
        this with { Disks = other.Disks, HostDevices = other.HostDevices, ExtraDevices = other.ExtraDevices } == other
        && Disks.SequenceEqual(other.Disks) && HostDevices.SequenceEqual(other.HostDevices) && ExtraDevices.SequenceEqual(other.ExtraDevices);
}
