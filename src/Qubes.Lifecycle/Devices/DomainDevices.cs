using Qubes.Lifecycle.DomainXml;

namespace Qubes.Lifecycle.Devices;

/// <summary>The devices that are a part of a domain beside its volumes.</summary>
/// <param name="takenTargets">The names of its volumes' disks on their bus.</param>
public sealed class DomainDevices(IEnumerable<string> takenTargets)
{
    private readonly HashSet<string> _targets = new(takenTargets, StringComparer.Ordinal);
    private readonly List<DomainDisk> _disks = [];
    private readonly List<PciAddress> _hostDevices = [];

    public IReadOnlyList<DomainDisk> Disks => _disks;

    public IReadOnlyList<PciAddress> HostDevices => _hostDevices;

    /// <summary>Another disk has this name.</summary>
    public bool IsTaken(string target) => _targets.Contains(target);

    public void Add(DomainDisk disk)
    {
        ArgumentNullException.ThrowIfNull(disk);
        _disks.Add(disk);
        _targets.Add(disk.Target);
    }

    public void Add(PciAddress device) => _hostDevices.Add(device);
}
