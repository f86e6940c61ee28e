using Qubes.Admin.Calls;
using Qubes.Model.Classes;

namespace Qubes.Admin.Handlers;

/// <summary>Lists of what the system knows, and its events.</summary>
internal static class SystemHandlers
{
    public static void ClassList(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        foreach (QubeClass qubeClass in call.App.Classes.All)
        {
            if (filters.Allows(qubeClass.Name))
            {
                call.WriteLine(qubeClass.Name);
            }
        }
    }

    public static void DeviceClassList(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        foreach (string deviceClass in call.App.Devices.Classes)
        {
            if (filters.Allows(deviceClass))
            {
                call.WriteLine(deviceClass);
            }
        }
    }

    public static void Events(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        call.Services.Broadcaster.Subscribe(call, filters);
    }
}
