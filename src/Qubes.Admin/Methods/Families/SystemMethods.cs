using Qubes.Admin.Handlers;

namespace Qubes.Admin.Methods.Families;

/// <summary>Calls about the system as a whole.</summary>
internal static class SystemMethods
{
    public static IEnumerable<AdminMethod> Rows() =>
    [
        AdminRow.Global("admin.vmclass.List", AdminRow.Reads) with
        {
            Answer = SystemHandlers.ClassList, Help = "Lists the classes of qubes", Result = "a name a line",
        },
        AdminRow.Global("admin.deviceclass.List", AdminRow.Reads) with
        {
            Answer = SystemHandlers.DeviceClassList, Help = "Lists the device classes", Result = "a name a line",
        },
        AdminRow.Global("admin.Events", AdminRow.Reads) with
        {
            Destination = AdminDestination.Any, Answer = SystemHandlers.Events, IsStream = true,
            Help = "Streams the events of a qube, or of everything", Result = "events, until the caller goes",
        },
    ];
}
