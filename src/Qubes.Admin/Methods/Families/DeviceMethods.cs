using Qubes.Admin.Handlers;

namespace Qubes.Admin.Methods.Families;

/// <summary>Calls about devices, the same for each class of them.</summary>
internal static class DeviceMethods
{
    public const string Prefix = "admin.vm.device.";

    public static IEnumerable<AdminMethod> Rows() =>
    [
        .. DeviceHandlers.Classes.SelectMany(OfClass),
        AdminRow.Local(Prefix + "denied.List", AdminRow.Reads) with
        {
            Answer = DeniedInterfaceHandlers.List, Help = "Lists the interfaces of devices that may not be attached to a qube",
            Result = "codes of seven characters, a line feed between them",
        },
        AdminRow.Local(Prefix + "denied.Add", AdminRow.Writes) with
        {
            Payload = AdminPart.Optional, Handler = DeniedInterfaceHandlers.AddAsync,
            Help = "Forbids devices with these interfaces to be attached to a qube",
        },
        AdminRow.Local(Prefix + "denied.Remove", AdminRow.Writes) with
        {
            Payload = AdminPart.Optional, Handler = DeniedInterfaceHandlers.RemoveAsync,
            Help = "Allows devices with these interfaces again, or with 'all' any device",
        },
    ];

    /// <summary>The calls of one class.</summary>
    public static IEnumerable<AdminMethod> OfClass(string deviceClass) =>
    [
        ListRow("Available", deviceClass, $"Lists the {deviceClass} devices that a qube offers") with
        {
            Handler = call => DeviceHandlers.AvailableAsync(call, deviceClass), Result = "a line PORT:DEVICEID RECORD for each",
        },
        ListRow("Assigned", deviceClass, $"Lists the {deviceClass} devices that a qube gets by itself") with
        {
            Answer = call => DeviceHandlers.Assigned(call, deviceClass), Result = "a line BACKEND+PORT:DEVICEID RECORD for each",
        },
        ListRow("Attached", deviceClass, $"Lists the {deviceClass} devices that a qube has at the moment") with
        {
            Answer = call => DeviceHandlers.Attached(call, deviceClass), Result = "a line BACKEND+PORT:DEVICEID RECORD for each",
        },
        DeviceRow("Assign", deviceClass, AdminRow.Writes, $"Gives a qube a {deviceClass} device by itself from now on") with
        {
            Payload = AdminPart.Required, Handler = call => DeviceHandlers.AssignAsync(call, deviceClass),
        },
        DeviceRow("Unassign", deviceClass, AdminRow.Writes, $"No longer gives a qube a {deviceClass} device by itself") with
        {
            Handler = call => DeviceHandlers.UnassignAsync(call, deviceClass),
        },
        DeviceRow("Attach", deviceClass, AdminRow.Executes, $"Attaches a {deviceClass} device to a running qube") with
        {
            Payload = AdminPart.Optional, Handler = call => DeviceHandlers.AttachAsync(call, deviceClass),
        },
        DeviceRow("Detach", deviceClass, AdminRow.Executes, $"Detaches a {deviceClass} device from a qube") with
        {
            Handler = call => DeviceHandlers.DetachAsync(call, deviceClass),
        },
        DeviceRow("Set.assignment", deviceClass, AdminRow.Writes, $"Changes how an assigned {deviceClass} device comes to a qube") with
        {
            Payload = AdminPart.Required, Handler = call => DeviceHandlers.SetAssignmentAsync(call, deviceClass),
        },
    ];

    private static AdminMethod ListRow(string name, string deviceClass, string help) =>
        AdminRow.Local($"{Prefix}{deviceClass}.{name}", AdminRow.Reads) with { Argument = AdminPart.Optional, Help = help };

    private static AdminMethod DeviceRow(string name, string deviceClass, AdminAccess access, string help) =>
        AdminRow.Local($"{Prefix}{deviceClass}.{name}", access) with { Argument = AdminPart.Required, Help = help };
}
