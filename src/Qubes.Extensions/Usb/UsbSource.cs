using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Events;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.Usb;

/// <summary>
/// USB devices. Qubes tell of theirs in their QubesDB, also who has them; those of the host are read from the kernel. A device of a qube is
/// passed on by USB/IP over qrexec, on any hypervisor; one of the host is not. Belongs to the model loop.
/// </summary>
/// <param name="app">Whose qubes.</param>
/// <param name="scanHost">Reads the host's devices; called off the loop.</param>
/// <param name="services">Attaches and detaches; null where there is no qrexec.</param>
/// <param name="log">What could not be learnt.</param>
internal sealed class UsbSource(QubesApp app, Func<IReadOnlyList<UsbEntry>> scanHost, UsbServices? services, ILogger log) : IDeviceSource
{
    private readonly ConditionalWeakTable<LocalQube, UsbBackend> _backends = [];

    // Few of many: who has what is asked for every qube.
    private readonly HashSet<LocalQube> _offering = [];

    // Ports of attachments that are being made or ended, with the frontend clients still know: backends tell of them before they are done.
    private readonly Dictionary<DevicePort, string?> _busy = [];

    public string DeviceClass => "usb";

    /// <summary>Makes the class known and listens to the backends.</summary>
    public void Register()
    {
        app.Devices.Register(this);
        EventHandlers events = app.Events;
        events.On(EmitterClass.LocalVM, "domain-init", Watch);
        events.On(EmitterClass.LocalVM, "domain-load", Watch);
        events.On(EmitterClass.LocalVM, "domain-qdb-change:" + UsbEntries.Trigger, changed => _ = RefreshAsync((LocalQube)changed.Subject));
    }

    /// <summary>At daemon start, when running qubes were taken over: what they offer is no news.</summary>
    public async Task AdoptAsync()
    {
        if (services is not null)
        {
            await services.ClearAsync();
        }

        foreach (LocalQube qube in app.Domains.OfType<LocalQube>().Where(q => q.IsRunning).ToArray())
        {
            UsbBackend known = _backends.GetOrCreateValue(qube);
            await ReadAsync(qube, known);
            app.Devices.TakeForTold(this, qube);
        }
    }

    public IReadOnlyCollection<DeviceInfo> Exposed(LocalQube backend) => backend.IsHalted || !_backends.TryGetValue(backend, out UsbBackend? known)
        ? []
        : [.. known.Devices.Select(d => _busy.TryGetValue(d.Port, out string? frontend) ? d with { Attachment = frontend } : d)];

    public IReadOnlyCollection<AttachedDevice> AttachedTo(LocalQube frontend) =>
    [
        .. _offering.SelectMany(Exposed).Where(d => d.Attachment == frontend.Name.Value).Select(d => new AttachedDevice(d, [])),
    ];

    /// <summary>Looks at what the backend tells.</summary>
    public Task RefreshAsync(LocalQube backend)
    {
        UsbBackend known = _backends.GetOrCreateValue(backend);
        return known.Look.RunAsync(() => LookAsync(backend, known));
    }

    public void CheckAssignment(LocalQube frontend, VirtualDevice device, IReadOnlyList<KeyValuePair<string, string>> options)
    {
        if (options.Count > 0)
        {
            throw QubesErrors.General("USB device assignment does not support user options");
        }
    }

    public async Task<IReadOnlyList<KeyValuePair<string, string>>> AttachAsync(
        LocalQube frontend, DeviceInfo device, IReadOnlyList<KeyValuePair<string, string>> options)
    {
        if (options.Count > 0)
        {
            throw QubesErrors.General("USB device attach does not support user options");
        }

        if (frontend is not QubesVM)
        {
            throw QubesErrors.General($"USB devices cannot be attached to {frontend.Name}");
        }

        UsbServices through = ServicesFor(device.Port);
        if (DeviceResolver.Find(app, device.Port)?.Attachment is { } other)
        {
            throw QubesErrors.DeviceAlreadyAttached($"Device {device} already attached to {other}");
        }

        if (!_busy.TryAdd(device.Port, null))
        {
            throw QubesErrors.DeviceAlreadyAttached($"Device {device} is being attached already");
        }

        try
        {
            await through.AttachAsync(frontend.Name, device.Port);
            SetAttachment(device.Port, frontend.Name);
        }
        finally
        {
            _busy.Remove(device.Port);
        }

        return [];
    }

    public async Task DetachAsync(LocalQube frontend, DevicePort port)
    {
        if (DeviceResolver.Find(app, port)?.Attachment != frontend.Name.Value || !_busy.TryAdd(port, frontend.Name))
        {
            throw QubesErrors.DeviceNotAssigned($"usb device {port} not attached to {frontend.Name}");
        }

        try
        {
            await ServicesFor(port).DetachAsync(port);
            SetAttachment(port, null);
        }
        finally
        {
            _busy.Remove(port);
        }
    }

    public void ForgetAttachments(LocalQube frontend)
    {
        foreach (AttachedDevice attached in AttachedTo(frontend))
        {
            SetAttachment(attached.Device.Port, null);
        }
    }

    private static void Watch(QubesEvent made) => ((LocalQube)made.Subject).QubesDb.Watch(UsbEntries.Trigger);

    private UsbServices ServicesFor(DevicePort port) =>
        port.Backend == app.Domains.AdminVM.Name.Value
            ? throw QubesErrors.General("USB devices of the host cannot be attached: give their controller to a qube (qvm-pci), and attach them from there")
            : services ?? throw QubesErrors.General("Without qrexec USB devices cannot be attached");

    /// <summary>What was done just now; the backend tells the same sooner or later.</summary>
    private void SetAttachment(DevicePort port, string? frontend)
    {
        if (app.Domains.TryGet(port.Backend, out Qube? qube) && qube is LocalQube backend && _backends.TryGetValue(backend, out UsbBackend? known))
        {
            known.Devices = [.. known.Devices.Select(d => d.Port == port ? d with { Attachment = frontend } : d)];
            known.Entries = [.. known.Entries.Select(e => e.PortId == port.PortId ? e with { UntrustedFrontend = frontend } : e)];
        }
    }

    private async Task LookAsync(LocalQube backend, UsbBackend known)
    {
        try
        {
            if (await ReadAsync(backend, known))
            {
                // Attaching to those that wait takes its time, which is not that of whoever wants the list.
                _ = app.Devices.AnnounceAsync(this, backend);
            }
        }
        catch (Exception failure)
        {
            log.LogError(failure, "The USB devices of {Qube} cannot be told", backend.Name);
        }
    }

    /// <summary>True if there is news.</summary>
    private async Task<bool> ReadAsync(LocalQube backend, UsbBackend known)
    {
        IReadOnlyList<UsbEntry> entries = backend is AdminVM
            ? await Task.Run(scanHost)
            : UsbEntries.FromDatabase(await backend.QubesDb.ReadAllUntrustedAsync(UsbEntries.Directory));
        if (entries.SequenceEqual(known.Entries))
        {
            return false;
        }

        // Too many names to keep, and devices change rarely.
        HardwareNames names = await Task.Run(() => HardwareNames.Load("usb.ids"));
        if (entries.Count > 0)
        {
            _offering.Add(backend);
        }
        else
        {
            _offering.Remove(backend);
        }

        _offering.RemoveWhere(static qube => !qube.IsInCollection);
        known.Entries = entries;
        known.Devices = [.. entries.Select(e => UsbEntries.ToDevice(e, backend.Name, names, name => app.Domains.TryGet(name, out _)))];
        return true;
    }
}
