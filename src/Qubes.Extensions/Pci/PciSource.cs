using Qubes.Lifecycle.Devices;
using Qubes.Lifecycle.DomainXml;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Events;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.Pci;

/// <summary>
/// PCI devices of the host. They are given to a qube for the whole of its run: as part of its domain, never by plugging. Belongs to the
/// model loop.
/// </summary>
internal sealed class PciSource(QubesApp app) : IDomainDeviceSource
{
    private readonly List<(LocalQube Frontend, PciDevice Device)> _given = [];
    private IReadOnlyList<PciDevice> _devices = [];
    private Task _loading = Task.CompletedTask;

    public string DeviceClass => "pci";

    public void Register()
    {
        app.Devices.Register(this);
        app.Events.On(EmitterClass.LocalVM, "domain-start-failed", failed =>
        {
            if (((LocalQube)failed.Subject).IsHalted)
            {
                ForgetAttachments((LocalQube)failed.Subject);
            }
        });
    }

    /// <summary>Once at daemon start: PCI devices do not come and go. Nobody waits for it but those who ask for devices.</summary>
    /// <param name="scan">Reads them; runs off the loop.</param>
    public void BeginLoading(Func<IReadOnlyList<PciDevice>> scan) => _loading = LoadAsync(scan);

    public Task RefreshAsync(LocalQube backend) => _loading;

    private async Task LoadAsync(Func<IReadOnlyList<PciDevice>> scan)
    {
        _devices = await Task.Run(scan);
        MigrateAssignments();

        // What a running qube requires it was started with.
        foreach (QubesVM qube in app.Domains.OfType<QubesVM>().Where(q => q.IsRunning))
        {
            foreach (DeviceAssignment assignment in qube.Devices.OfClass(DeviceClass).Where(a => a.Mode == AssignmentModes.Required))
            {
                _given.AddRange(_devices.Where(d => assignment.Device.Matches(d.Info.Device)).Select(d => ((LocalQube)qube, d)));
            }
        }

        app.Devices.TakeForTold(this, app.Domains.AdminVM);
    }

    public IReadOnlyCollection<DeviceInfo> Exposed(LocalQube backend) => backend is not AdminVM
        ? []
        : [.. _devices.Select(d => d.Info with { Attachment = FrontendOf(d.Info.Port)?.Name })];

    public IReadOnlyCollection<AttachedDevice> AttachedTo(LocalQube frontend) =>
        [.. _given.Where(g => g.Frontend == frontend).Select(g => new AttachedDevice(g.Device.Info, []))];

    public Task<IReadOnlyList<KeyValuePair<string, string>>> AttachAsync(
        LocalQube frontend, DeviceInfo device, IReadOnlyList<KeyValuePair<string, string>> options) => throw frontend switch
        {
            AdminVM => QubesErrors.General("Can't attach PCI device to dom0"),
            QubesVM { VirtMode: "pvh" } => QubesErrors.General("Can't attach PCI device to VM in pvh mode"),
            _ => QubesErrors.General("PCI devices cannot be attached to a running qube: assign them as required and start it again"),
        };

    public Task DetachAsync(LocalQube frontend, DevicePort port) =>
        throw QubesErrors.General("PCI devices cannot be detached from a running qube");

    public void ForgetAttachments(LocalQube frontend) => _given.RemoveAll(g => g.Frontend == frontend);

    public void AddRequired(QubesVM qube, IReadOnlyList<(DeviceInfo Device, IReadOnlyList<KeyValuePair<string, string>> Options)> devices, DomainDevices domain)
    {
        foreach ((DeviceInfo info, _) in devices)
        {
            if (FrontendOf(info.Port) is { } other)
            {
                throw QubesErrors.DeviceAlreadyAttached($"Device {info.Device} already attached to {other.Name}");
            }

            PciDevice device = _devices.FirstOrDefault(d => d.Info.Port == info.Port)
                ?? throw QubesErrors.General($"PCI device {info.Port} does not exist");
            _given.Add((qube, device));
            domain.Add(device.Address);
        }
    }

    /// <summary>Old stores name devices by their bus address, which changes; where the device is there, the way to it takes its place.</summary>
    private void MigrateAssignments()
    {
        foreach (LocalQube qube in app.Domains.OfType<LocalQube>())
        {
            foreach (DeviceAssignment old in qube.Devices.OfClass(DeviceClass).Where(a => _devices.All(d => d.Info.Port.PortId != a.Port)).ToArray())
            {
                if (PciAddress.TryParseLoosely(old.Port, out PciAddress address)
                    && _devices.FirstOrDefault(d => d.Address == address) is { } device
                    && !qube.Devices.All.Any((old with { Port = device.Info.Port.PortId }).IsSameDevice))
                {
                    qube.Devices.Replace(old, old with { Port = device.Info.Port.PortId });
                }
            }
        }
    }

    private LocalQube? FrontendOf(DevicePort port) => _given.FirstOrDefault(g => g.Device.Info.Port == port).Frontend;
}
