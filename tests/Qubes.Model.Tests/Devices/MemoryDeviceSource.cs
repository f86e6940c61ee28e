using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Testing;

/// <summary>A class of devices that exist in memory only.</summary>
internal sealed class MemoryDeviceSource(string deviceClass) : IDeviceSource
{
    private readonly List<DeviceInfo> _devices = [];
    private readonly List<(LocalQube Frontend, AttachedDevice Attached)> _attachments = [];

    public string DeviceClass { get; } = deviceClass;

    public bool RequiredIsPartOfDomain { get; set; }

    /// <summary>What was asked of it, in order.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>Refuses to attach.</summary>
    public bool IsBroken { get; set; }

    public DeviceInfo Put(string backend, string port, string id = "dead:beef", string interfaces = "b******")
    {
        DeviceInfo device = new()
        {
            Device = new VirtualDevice(new DevicePort(DeviceClass, backend, port), id), Vendor = "Acme", Product = "Thing",
            Interfaces = DeviceInterface.ParseList(interfaces),
        };
        _devices.Add(device);
        return device;
    }

    public void TakeAway(DeviceInfo device) => _devices.RemoveAll(d => d.Device == device.Device);

    /// <summary>Somebody else attached it.</summary>
    public void AttachOutside(LocalQube frontend, DeviceInfo device) => _attachments.Add((frontend, new AttachedDevice(device, [])));

    public IReadOnlyCollection<DeviceInfo> Exposed(LocalQube backend) => backend.IsHalted ? [] :
    [
        .. _devices.Where(d => d.Port.Backend == backend.Name.Value).Select(d => d with
        {
            Attachment = _attachments.FirstOrDefault(a => a.Attached.Device.Device == d.Device).Frontend?.Name,
        }),
    ];

    public IReadOnlyCollection<AttachedDevice> AttachedTo(LocalQube frontend) =>
        [.. _attachments.Where(a => a.Frontend == frontend).Select(a => a.Attached)];

    public async Task<IReadOnlyList<KeyValuePair<string, string>>> AttachAsync(
        LocalQube frontend, DeviceInfo device, IReadOnlyList<KeyValuePair<string, string>> options)
    {
        Asked.Add($"attach {device} to {frontend}");
        await Task.Yield();
        if (IsBroken)
        {
            throw QubesErrors.General("broken");
        }

        _attachments.Add((frontend, new AttachedDevice(device, options)));
        return [.. options, new("chosen", "1")];
    }

    public async Task DetachAsync(LocalQube frontend, DevicePort port)
    {
        Asked.Add($"detach {port} from {frontend}");
        await Task.Yield();
        _attachments.RemoveAll(a => a.Frontend == frontend && a.Attached.Device.Port == port);
    }

    public void ForgetAttachments(LocalQube frontend)
    {
        Asked.Add($"forget {frontend}");
        _attachments.RemoveAll(a => a.Frontend == frontend);
    }
}
