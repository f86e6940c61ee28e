using Qubes.Admin.Calls;

namespace Qubes.Admin.Handlers;

/// <summary><c>admin.state.*</c>.</summary>
internal static class StateHandlers
{
    public static async ValueTask GetAsync(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        await call.Services.State.LoadFilesAsync();
        call.Services.State.WriteSnapshot(call, filters);
    }

    public static void Follow(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        call.Services.State.Follow(call, filters);
    }
}
