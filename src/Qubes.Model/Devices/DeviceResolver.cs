using System.Diagnostics.CodeAnalysis;
using Qubes.Model.Classes;
using Qubes.Protocol.Devices;

namespace Qubes.Model.Devices;

/// <summary>From what calls and assignments name to devices that are there.</summary>
public static class DeviceResolver
{
    /// <summary>The device at a port; null if nothing is known there.</summary>
    public static DeviceInfo? Find(QubesApp app, DevicePort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        return TryFindBackend(app, port, out LocalQube? backend, out IDeviceSource? source)
            ? source.Exposed(backend).FirstOrDefault(d => d.Port.PortId == port.PortId)
            : null;
    }

    /// <summary>All devices meant: the one at the port if its identity fits, or those with the identity, wherever they are.</summary>
    public static IReadOnlyList<DeviceInfo> Resolve(QubesApp app, VirtualDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);

        // An identity that stands for "unknown" names no device, except the one at the port that is named with it.
        return device is { Port.PortId: DevicePort.Any, DeviceId: DeviceInfo.UnknownId }
            || !TryFindBackend(app, device.Port, out LocalQube? backend, out IDeviceSource? source)
                ? []
                : [.. source.Exposed(backend).Where(d => device.Matches(d.Device))];
    }

    /// <summary>The device with all that is known of it, if port and identity are named and are those of one that is there.</summary>
    public static DeviceInfo? Complete(QubesApp app, VirtualDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.Port.PortId != DevicePort.Any && device.DeviceId != DevicePort.Any
            && Find(app, device.Port) is { } found && found.Device.DeviceId == device.DeviceId
                ? found
                : null;
    }

    private static bool TryFindBackend(
        QubesApp app, DevicePort port, [NotNullWhen(true)] out LocalQube? backend, [NotNullWhen(true)] out IDeviceSource? source)
    {
        ArgumentNullException.ThrowIfNull(app);
        source = app.Devices.Find(port.DeviceClass);
        backend = app.Domains.TryGet(port.Backend, out Qube? qube) ? qube as LocalQube : null;
        return source is not null && backend is not null;
    }
}
