using Qubes.Admin.Calls;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Handlers;

/// <summary><c>admin.vm.device.CLASS.*</c>, the same for every class.</summary>
internal static class DeviceHandlers
{
    /// <summary>The classes whose calls exist on every system; a source may be added to it for others.</summary>
    public static IReadOnlyList<string> Classes { get; } = ["block", "mic", "pci", "usb"];

    public static async ValueTask AvailableAsync(AdminCall call, string deviceClass)
    {
        AdminFilters filters = call.Permit(("devclass", deviceClass));
        if (call.Destination is not LocalQube backend)
        {
            return;
        }

        await RefreshAsync(backend, deviceClass);
        WriteLines(call, backend.DevicesOf(deviceClass).Exposed
            .Where(d => call.UntrustedArgument.Length == 0 || d.Port.PortId == call.UntrustedArgument)
            .Where(d => filters.Allows(d))
            .Select(DeviceInfoText.WriteLine));
    }

    public static void Assigned(AdminCall call, string deviceClass) => List(call, deviceClass, static devices => devices.Assigned);

    public static void Attached(AdminCall call, string deviceClass) => List(call, deviceClass, static devices => devices.Attached);

    public static async ValueTask AssignAsync(AdminCall call, string deviceClass)
    {
        AssignmentRequest request = ReadRequest(call, deviceClass);
        call.Permit(("device", Known(call.App, request.Device)), ("mode", request.Mode), ("options", request.Options));
        if (request.Device.Port.Backend == DevicePort.Any)
        {
            throw QubesErrors.Protocol("Cannot determine backend domain");
        }

        QubeDevices devices = Devices(call, request.Device);
        using ModelChange change = call.BeginChange();
        await devices.AssignAsync(DeviceAssignment.Of(request));
        await call.CommitAsync(change);
    }

    public static async ValueTask UnassignAsync(AdminCall call, string deviceClass)
    {
        VirtualDevice device = VirtualDevice.ParseArgument(call.UntrustedArgument, deviceClass);
        call.Permit(("device", Known(call.App, device)));
        QubeDevices devices = Devices(call, device);
        using ModelChange change = call.BeginChange();
        await devices.UnassignAsync(device);
        await call.CommitAsync(change);
    }

    public static async ValueTask AttachAsync(AdminCall call, string deviceClass)
    {
        AssignmentRequest request = ReadRequest(call, deviceClass);
        if (call.App.Domains.TryFind(request.Device.Port.Backend, out Qube? qube) && qube is LocalQube backend)
        {
            // Whether the device may be attached depends on what it is now.
            await RefreshAsync(backend, deviceClass);
        }

        call.Permit(("device", Known(call.App, request.Device)), ("mode", request.Mode), ("options", request.Options));
        await Devices(call, request.Device).AttachAsync(request.Device, request.Options);
    }

    public static async ValueTask DetachAsync(AdminCall call, string deviceClass)
    {
        VirtualDevice device = VirtualDevice.ParseArgument(call.UntrustedArgument, deviceClass);
        call.Permit(("device", Known(call.App, device)));
        await Devices(call, device).DetachAsync(device);
    }

    public static async ValueTask SetAssignmentAsync(AdminCall call, string deviceClass)
    {
        string mode = System.Text.Encoding.ASCII.GetString(call.UntrustedPayload);
        if (!AssignmentModes.IsAutomatic(mode))
        {
            throw QubesErrors.UnrecognizedDeviceAssignmentMode("Invalid assignment mode");
        }

        VirtualDevice device = VirtualDevice.ParseArgument(call.UntrustedArgument, deviceClass);
        call.Permit(("device", device), ("mode", mode));
        QubeDevices devices = Devices(call, device);
        using ModelChange change = call.BeginChange();
        await devices.SetModeAsync(device, mode);
        await call.CommitAsync(change);
    }

    /// <summary>The destination, if its class can have devices.</summary>
    internal static LocalQube Local(AdminCall call) => Local(call.Destination);

    /// <summary>The devices of a qube of the class of this one, whose backend there must be.</summary>
    internal static QubeDevices DevicesOf(Qube qube, VirtualDevice device)
    {
        LocalQube local = Local(qube);
        return device.Port.Backend == DevicePort.Any || qube.App.Domains.TryFind(device.Port.Backend, out _)
            ? local.DevicesOf(device.Port.DeviceClass)
            : throw QubesErrors.VMNotFound(device.Port.Backend);
    }

    /// <summary>What handlers of the permission event are shown: all that is known of the device, or what the call says.</summary>
    internal static object Known(QubesApp app, VirtualDevice device) => (object?)DeviceResolver.Complete(app, device) ?? device;

    private static LocalQube Local(Qube qube) => qube as LocalQube ?? throw QubesErrors.General("This qube doesn't support devices");

    private static void List(AdminCall call, string deviceClass, Func<QubeDevices, IEnumerable<DeviceAssignment>> select)
    {
        DevicePort? only = call.UntrustedArgument.Length == 0 ? null : VirtualDevice.ParseArgument(call.UntrustedArgument, deviceClass).Port;
        AdminFilters filters = call.Permit(("devclass", deviceClass));
        if (call.Destination is not LocalQube qube)
        {
            return;
        }

        WriteLines(call, select(qube.DevicesOf(deviceClass))
            .Where(a => only is null || a.Device.Port == only)
            .Where(a => filters.Allows(a))
            .Select(a => a.ToRequest(qube.Name).WriteLine()));
    }

    private static void WriteLines(AdminCall call, IEnumerable<string> lines)
    {
        foreach (string line in lines.Order(StringComparer.Ordinal))
        {
            call.WriteLine(line);
        }
    }

    private static AssignmentRequest ReadRequest(AdminCall call, string deviceClass)
    {
        VirtualDevice device = VirtualDevice.ParseArgument(call.UntrustedArgument, deviceClass);
        AssignmentRequest request = AssignmentRequest.Parse(call.UntrustedPayload, device);
        return request.Frontend is null || request.Frontend == call.Destination.Name.Value
            ? request
            : throw QubesErrors.Protocol("frontend_domain is not the qube the call is for");
    }

    private static QubeDevices Devices(AdminCall call, VirtualDevice device) => DevicesOf(call.Destination, device);

    private static Task RefreshAsync(LocalQube backend, string deviceClass) =>
        backend.App.Devices.Find(deviceClass)?.RefreshAsync(backend) ?? Task.CompletedTask;
}
