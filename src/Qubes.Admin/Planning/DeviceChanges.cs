using System.Text;
using Qubes.Admin.Handlers;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Planning;

/// <summary>What a <see cref="DeviceStep"/> takes: which single calls, and how it is done on a model.</summary>
internal static class DeviceChanges
{
    private const string Assign = "Assign";
    private const string Unassign = "Unassign";
    private const string SetAssignment = "Set.assignment";

    public static SingleCall[] CallsOf(QubesApp app, DeviceStep step)
    {
        DeviceAssignment? now = Find(app, step);
        return step.UntrustedMode is null ? [Call(step, Unassign)]
            : now is null || IsSame(now, step) ? [Call(step, Assign)]
            : HasSameOptions(now, step) ? [Call(step, SetAssignment)]
            : [Call(step, Unassign), Call(step, Assign)];
    }

    /// <summary>The keywords of the permission event of one of them.</summary>
    public static (string Key, object? Value)[] Extras(QubesApp app, DeviceStep step, SingleCall call)
    {
        RequireClass(app, step);
        if (call == Call(step, SetAssignment))
        {
            return [("device", step.Device), ("mode", step.UntrustedMode)];
        }

        object device = DeviceHandlers.Known(app, step.Device);
        if (call == Call(step, Unassign))
        {
            return [("device", device)];
        }

        AssignmentRequest request = Request(step);
        return [("device", device), ("mode", request.Mode), ("options", request.Options)];
    }

    /// <summary>What only whoever has the devices can say; a copy of the model has none.</summary>
    /// <exception cref="QubesException">The assignment could never be carried out.</exception>
    public static void CheckWithSource(QubesApp app, DeviceStep step)
    {
        if (step.UntrustedMode is not null && app.Domains.TryFind(step.UntrustedQube, out Qube? qube) && qube is LocalQube local)
        {
            app.Devices.Find(step.Device.Port.DeviceClass)?.CheckAssignment(local, step.Device, Request(step).Options);
        }
    }

    public static bool IsDone(QubesApp app, DeviceStep step) => step.UntrustedMode is null
        ? DevicesOf(app, step).Assigned.All(a => a.Device != step.Device)
        : DevicesOf(app, step).Assigned.Any(a => a.Device == step.Device && IsSame(a, step));

    public static string Describe(QubesApp app, DeviceStep step) => Find(app, step)?.HistoryText ?? "absent";

    public static async Task RunAsync(QubesApp app, DeviceStep step)
    {
        QubeDevices devices = DevicesOf(app, step);
        DeviceAssignment? now = Find(app, step);
        if (step.UntrustedMode is null)
        {
            await devices.UnassignAsync(step.Device);
            return;
        }

        AssignmentRequest request = Request(step);
        if (step.Device.Port.Backend == DevicePort.Any)
        {
            throw QubesErrors.Protocol("Cannot determine backend domain");
        }

        if (now is not null && HasSameOptions(now, step))
        {
            await devices.SetModeAsync(step.Device, request.Mode);
            return;
        }

        if (now is not null)
        {
            await devices.UnassignAsync(step.Device);
        }

        await devices.AssignAsync(DeviceAssignment.Of(request));
    }

    private static SingleCall Call(DeviceStep step, string method) => new($"admin.vm.device.{step.Device.Port.DeviceClass}.{method}", step.Device.ToArgument());

    private static QubeDevices DevicesOf(QubesApp app, DeviceStep step) => DeviceHandlers.DevicesOf(app.Domains.Find(step.UntrustedQube), step.Device);

    private static DeviceAssignment? Find(QubesApp app, DeviceStep step) => app.Domains.TryFind(step.UntrustedQube, out Qube? qube) && qube is LocalQube local
        ? local.Devices.OfClass(step.Device.Port.DeviceClass).FirstOrDefault(a => a.Device == step.Device)
        : null;

    private static bool IsSame(DeviceAssignment now, DeviceStep step) => now.Mode == step.UntrustedMode && HasSameOptions(now, step);

    private static bool HasSameOptions(DeviceAssignment now, DeviceStep step) =>
        now.Options.OrderBy(o => o.Key, StringComparer.Ordinal).SequenceEqual(step.UntrustedOptions.OrderBy(o => o.Key, StringComparer.Ordinal));

    private static void RequireClass(QubesApp app, DeviceStep step)
    {
        string deviceClass = step.Device.Port.DeviceClass;
        if (!DeviceHandlers.Classes.Contains(deviceClass) && app.Devices.Find(deviceClass) is null)
        {
            throw QubesErrors.General($"no such class of devices: {deviceClass}");
        }
    }

    /// <summary>As the call would carry it, with all its checks.</summary>
    private static AssignmentRequest Request(DeviceStep step)
    {
        string record = new AssignmentRequest(step.Device, step.UntrustedMode!, step.UntrustedOptions).Write();
        return AssignmentRequest.Parse(Encoding.ASCII.GetBytes(record), step.Device);
    }
}
