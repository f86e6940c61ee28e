using Qubes.Admin.Handlers;

namespace Qubes.Admin.Methods.Families;

/// <summary>Calls about devices, the same for each class of them.</summary>
internal static class DeviceMethods
{
    public static IEnumerable<AdminMethod> Rows() => DeviceHandlers.Classes.SelectMany(c => new[]
    {
        DeviceList("Available", c, call => DeviceHandlers.Available(call, c), "Lists what a qube offers"),
        DeviceList("Assigned", c, call => DeviceHandlers.Assigned(call, c), "Lists what a qube gets when it starts"),
        DeviceList("Attached", c, call => DeviceHandlers.Attached(call, c), "Lists what a qube has at the moment"),
    });

    private static AdminMethod DeviceList(string name, string deviceClass, AdminAnswer answer, string help) =>
        AdminRow.Local($"admin.vm.device.{deviceClass}.{name}", AdminRow.Reads) with
        {
            Argument = AdminPart.Optional, Answer = answer, Help = $"{help} of device class {deviceClass}",
            Result = "a line for each, with the serialised device",
        };
}
