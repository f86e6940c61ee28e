using System.Buffers;
using Qubes.Admin.Calls;

namespace Qubes.Admin.Handlers;

/// <summary>Calls among the parts of the system, on a socket no qube reaches.</summary>
internal static class InternalHandlers
{
    public static void GetSystemInfo(AdminCall call)
    {
        call.Reply.Write(call.Services.SystemInfo.CurrentJson);
    }

    /// <summary>The host is about to sleep.</summary>
    public static async ValueTask SuspendPreAsync(AdminCall call)
    {
        await call.Services.Disposables.ReleaseAllAsync();
        await call.Services.Lifecycle.SuspendAllAsync();
    }

    /// <summary>The host woke up.</summary>
    public static async ValueTask SuspendPostAsync(AdminCall call)
    {
        await call.Services.Lifecycle.ResumeAllAsync();
        call.Services.Disposables.PreloadAll("system resumed");
    }
}
