using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Qubes.Libvirt;
using Qubes.Lifecycle.Devices;
using Qubes.Lifecycle.DomainXml;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Events;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.Block;

/// <summary>
/// Block devices. Qubes tell of theirs in their QubesDB; those of the host are read from the kernel. On KVM a disk of the host is
/// given to QEMU; one of another qube cannot be. Belongs to the model loop.
/// </summary>
internal sealed class BlockSource : IDomainDeviceSource
{
    private readonly QubesApp _app;
    private readonly IHypervisor _hypervisor;
    private readonly Func<IReadOnlyList<BlockEntry>> _scanHost;
    private readonly ILogger _log;

    // Goes with the qube.
    private readonly ConditionalWeakTable<LocalQube, BlockBackend> _backends = [];
    private readonly List<BlockAttachment> _attachments = [];

    public BlockSource(QubesApp app, IHypervisor hypervisor, Func<IReadOnlyList<BlockEntry>> scanHost, ILogger log)
    {
        _app = app;
        _hypervisor = hypervisor;
        _scanHost = scanHost;
        _log = log;
    }

    public string DeviceClass => "block";

    /// <summary>Makes the class known and listens to the backends.</summary>
    public void Register()
    {
        _app.Devices.Register(this);
        EventHandlers events = _app.Events;
        events.On(EmitterClass.LocalVM, "domain-init", Watch);
        events.On(EmitterClass.LocalVM, "domain-load", Watch);
        events.On(EmitterClass.LocalVM, "domain-qdb-change:" + BlockEntries.Trigger, changed => _ = RefreshAsync((LocalQube)changed.Subject));
        events.On(EmitterClass.LocalVM, "domain-spawn", launched => MarkMade((LocalQube)launched.Subject));
        events.On(EmitterClass.LocalVM, "domain-start-failed", failed => DropUnmade((LocalQube)failed.Subject));
    }

    /// <summary>At daemon start, when running qubes were taken over: learns what they offer and what they have. None of it is news.</summary>
    public async Task AdoptAsync()
    {
        LocalQube[] running = [.. _app.Domains.OfType<LocalQube>().Where(q => q.IsRunning)];
        foreach (LocalQube qube in running)
        {
            _backends.GetOrCreateValue(qube).Devices = await ReadAsync(qube);
        }

        foreach (QubesVM qube in running.OfType<QubesVM>())
        {
            await AdoptAttachmentsAsync(qube);
        }

        foreach (LocalQube qube in running)
        {
            _app.Devices.TakeForTold(this, qube);
        }
    }

    public IReadOnlyCollection<DeviceInfo> Exposed(LocalQube backend) => backend.IsHalted || !_backends.TryGetValue(backend, out BlockBackend? known)
        ? []
        : [.. known.Devices.Select(d => d.Info with { Attachment = Find(d.Info.Port) is { IsMade: true } attachment ? attachment.Frontend.Name : null })];

    public IReadOnlyCollection<AttachedDevice> AttachedTo(LocalQube frontend) =>
        [.. _attachments.Where(a => a.Frontend == frontend && a.IsMade).Select(a => new AttachedDevice(a.Device, a.Options))];

    /// <summary>Looks at what the backend tells.</summary>
    public Task RefreshAsync(LocalQube backend)
    {
        BlockBackend known = _backends.GetOrCreateValue(backend);
        return known.Look.RunAsync(() => LookAsync(backend, known));
    }

    public async Task<IReadOnlyList<KeyValuePair<string, string>>> AttachAsync(
        LocalQube frontend, DeviceInfo device, IReadOnlyList<KeyValuePair<string, string>> options)
    {
        BlockOptions chosen = BlockOptions.Parse(options);
        if (chosen.IsCdrom)
        {
            throw QubesErrors.Value("A drive cannot be plugged into a running qube: assign the device as required");
        }

        if (frontend is not QubesVM qube)
        {
            throw QubesErrors.General($"Block devices cannot be attached to {frontend.Name}");
        }

        bool isReadOnly = CheckReadOnly(chosen, device);
        BlockAttachment attachment = Reserve(qube, device);
        try
        {
            IReadOnlyList<DomainDisk> disks = await _hypervisor.GetDisksAsync(DomainKey.Of(qube));
            Describe(attachment, chosen, isReadOnly, target => disks.Any(d => d.Target == target));
            await _hypervisor.AttachDiskAsync(DomainKey.Of(qube), attachment.Disk!);
        }
        catch (Exception failure)
        {
            _attachments.Remove(attachment);
            throw failure is LibvirtException or LaneTimeoutException or DomainXmlException
                ? new QubesException(QubesErrorNames.QubesException, $"Failed to attach block device {device.Port}: {failure.Message}", failure)
                : failure;
        }

        if (!_attachments.Contains(attachment))
        {
            throw QubesErrors.VMNotRunning(qube.Name);
        }

        attachment.IsMade = true;
        return attachment.Options;
    }

    public async Task DetachAsync(LocalQube frontend, DevicePort port)
    {
        if (frontend is not QubesVM qube || Find(port) is not { IsMade: true, Disk: { } disk } attachment || attachment.Frontend != frontend)
        {
            throw QubesErrors.DeviceNotAssigned($"block device {port} not attached to {frontend.Name}");
        }

        try
        {
            if (!await _hypervisor.DetachDiskAsync(DomainKey.Of(qube), disk))
            {
                throw QubesErrors.General($"Qube '{qube.Name}' did not release block device {port}");
            }
        }
        catch (Exception failure) when (failure is LibvirtException or LaneTimeoutException)
        {
            throw new QubesException(QubesErrorNames.QubesException, $"Failed to detach block device {port}: {failure.Message}", failure);
        }

        _attachments.Remove(attachment);
    }

    public void ForgetAttachments(LocalQube frontend) => _attachments.RemoveAll(a => a.Frontend == frontend);

    public void AddRequired(QubesVM qube, IReadOnlyList<(DeviceInfo Device, IReadOnlyList<KeyValuePair<string, string>> Options)> devices, DomainDevices domain)
    {
        foreach ((DeviceInfo device, IReadOnlyList<KeyValuePair<string, string>> options) in devices)
        {
            BlockOptions chosen = BlockOptions.Parse(options);
            bool isReadOnly = CheckReadOnly(chosen, device);
            BlockAttachment attachment = Reserve(qube, device);
            Describe(attachment, chosen, isReadOnly, domain.IsTaken);
            domain.Add(attachment.Disk!);
        }
    }

    private static string NodeOf(DevicePort port) => "/dev/" + port.PortId;

    private static void Watch(QubesEvent made) => ((LocalQube)made.Subject).QubesDb.Watch(BlockEntries.Trigger);

    private BlockAttachment? Find(DevicePort port) => _attachments.Find(a => a.Device.Port == port);

    private void MarkMade(LocalQube frontend) => _attachments.ForEach(a => a.IsMade |= a.Frontend == frontend);

    private void DropUnmade(LocalQube frontend) => _attachments.RemoveAll(a => a.Frontend == frontend && !a.IsMade);

    private bool CheckReadOnly(BlockOptions options, DeviceInfo device)
    {
        bool deviceIsReadOnly = _app.Domains.TryGet(device.Port.Backend, out Qube? backend) && backend is LocalQube local
            && _backends.TryGetValue(local, out BlockBackend? known)
            && known.Devices.FirstOrDefault(d => d.Info.Port == device.Port) is { IsReadOnly: true };
        return deviceIsReadOnly && options.IsReadOnly == false
            ? throw QubesErrors.Value("This device can be attached only read-only")
            : options.IsReadOnly ?? (deviceIsReadOnly || options.IsCdrom);
    }

    private BlockAttachment Reserve(QubesVM frontend, DeviceInfo device)
    {
        if (Find(device.Port) is { } other)
        {
            throw QubesErrors.DeviceAlreadyAttached($"Device {device.Device} already attached to {other.Frontend.Name}");
        }

        if (!_app.Domains.TryGet(device.Port.Backend, out Qube? backend) || backend.IsHalted)
        {
            throw QubesErrors.VMNotRunning(device.Port.Backend);
        }

        if (backend is not AdminVM)
        {
            throw QubesErrors.General($"Block devices of qube '{backend.Name}' cannot be attached: this hypervisor gives qubes the host's only");
        }

        BlockAttachment attachment = new(frontend, device);
        _attachments.Add(attachment);
        return attachment;
    }

    private static void Describe(BlockAttachment attachment, BlockOptions options, bool isReadOnly, Func<string, bool> isTargetTaken)
    {
        string frontendDevice = FrontendNames.Choose(options, isTargetTaken);
        string target = options.IsCdrom ? "sd" + BlockOptions.Letters(frontendDevice) : FrontendNames.TargetOf(frontendDevice);
        attachment.Disk = new DomainDisk(
            target, NodeOf(attachment.Device.Port), "raw", IsFile: false, isReadOnly, Serial: frontendDevice, options.IsCdrom);
        attachment.Options = OptionsOf(attachment.Disk);
    }

    private static List<KeyValuePair<string, string>> OptionsOf(DomainDisk disk)
    {
        List<KeyValuePair<string, string>> options = [new("frontend-dev", disk.Serial), new("read-only", disk.IsReadOnly ? "yes" : "no")];
        if (disk.IsCdrom)
        {
            options.Add(new("devtype", "cdrom"));
        }

        return options;
    }

    private async Task AdoptAttachmentsAsync(QubesVM qube)
    {
        try
        {
            foreach (DomainDisk disk in await _hypervisor.GetDisksAsync(DomainKey.Of(qube)))
            {
                // Volumes have their own names for serials.
                if (!BlockOptions.IsFrontendDevice(disk.Serial) || !disk.Path.StartsWith("/dev/", StringComparison.Ordinal))
                {
                    continue;
                }

                DevicePort port = new(DeviceClass, _app.Domains.AdminVM.Name, disk.Path["/dev/".Length..]);
                DeviceInfo device = DeviceResolver.Find(_app, port) ?? new DeviceInfo { Device = new VirtualDevice(port, DeviceInfo.UnknownId) };
                _attachments.Add(new BlockAttachment(qube, device) { Disk = disk, Options = OptionsOf(disk), IsMade = true });
            }
        }
        catch (Exception failure) when (failure is LibvirtException or LaneTimeoutException or FormatException)
        {
            _log.LogError(failure, "Which block devices {Qube} has cannot be told", qube.Name);
        }
    }

    private async Task LookAsync(LocalQube backend, BlockBackend known)
    {
        try
        {
            IReadOnlyList<BlockDevice> now = await ReadAsync(backend);
            if (!now.Select(Text).SequenceEqual(known.Devices.Select(Text), StringComparer.Ordinal))
            {
                known.Devices = now;

                // Attaching to those that wait takes its time, which is not that of whoever wants the list.
                _ = _app.Devices.AnnounceAsync(this, backend);
            }
        }
        catch (Exception failure)
        {
            _log.LogError(failure, "The block devices of {Qube} cannot be told", backend.Name);
        }

        static string Text(BlockDevice device) => $"{DeviceInfoText.WriteLine(device.Info)} {device.IsReadOnly} {device.Size}";
    }

    private async Task<IReadOnlyList<BlockDevice>> ReadAsync(LocalQube backend)
    {
        IReadOnlyList<BlockEntry> entries = backend is AdminVM
            ? await Task.Run(_scanHost)
            : BlockEntries.FromDatabase(await backend.QubesDb.ReadAllUntrustedAsync(BlockEntries.Directory));
        return BlockEntries.ToDevices(entries, backend.Name, port => DeviceResolver.Find(_app, port)?.Device.DeviceId);
    }
}
