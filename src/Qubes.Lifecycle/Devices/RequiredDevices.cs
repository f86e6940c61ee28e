using Qubes.Lifecycle.DomainXml;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Devices;

/// <summary>What a qube cannot do without when it starts.</summary>
internal static class RequiredDevices
{
    /// <summary>Learns what the backends of the required devices have now, and refuses the start if one of the devices is not there.</summary>
    /// <exception cref="QubesException">Which is missing.</exception>
    public static async Task VerifyAsync(QubesVM qube)
    {
        foreach (DeviceAssignment assignment in Required(qube).ToArray())
        {
            if (qube.App.Devices.Find(assignment.DeviceClass) is { } source
                && qube.App.Domains.TryGet(assignment.Backend, out Qube? backend) && backend is LocalQube local)
            {
                await source.RefreshAsync(local);
            }

            if (DeviceResolver.Resolve(qube.App, assignment.Device).Count == 0)
            {
                throw QubesErrors.General($"{Capitalised(assignment.DeviceClass)} device {assignment} not available");
            }
        }
    }

    /// <summary>Puts them into the domain.</summary>
    public static DomainDevices Collect(QubesVM qube, IEnumerable<DomainDisk> volumes)
    {
        DomainDevices domain = new(volumes.Select(disk => disk.Target));
        foreach (IGrouping<string, DeviceAssignment> ofClass in Required(qube).GroupBy(a => a.DeviceClass, StringComparer.Ordinal))
        {
            if (qube.App.Devices.Find(ofClass.Key) is IDomainDeviceSource source)
            {
                source.AddRequired(qube, Resolve(qube, ofClass), domain);
            }
        }

        return domain;
    }

    private static List<(DeviceInfo, IReadOnlyList<KeyValuePair<string, string>>)> Resolve(QubesVM qube, IEnumerable<DeviceAssignment> assignments)
    {
        HashSet<DevicePort> taken = [];
        List<(DeviceInfo, IReadOnlyList<KeyValuePair<string, string>>)> devices = [];
        foreach (DeviceAssignment assignment in assignments.OrderDescending(DeviceAssignment.BySpecificity))
        {
            foreach (DeviceInfo device in DeviceResolver.Resolve(qube.App, assignment.Device).Where(d => taken.Add(d.Port)))
            {
                devices.Add((device, assignment.Options));
            }
        }

        return devices;
    }

    private static IEnumerable<DeviceAssignment> Required(QubesVM qube) =>
        qube.Devices.All.Where(assignment => assignment.Mode == AssignmentModes.Required);

    private static string Capitalised(string deviceClass) =>
        deviceClass.Length == 0 ? "" : char.ToUpperInvariant(deviceClass[0]) + deviceClass[1..];
}
