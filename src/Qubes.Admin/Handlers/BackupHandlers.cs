using Qubes.Admin.Calls;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Handlers;

/// <summary>
/// The calls about backup profiles, as far as there is something to answer: this version makes no backups, so none can be under
/// way, and a profile that exists cannot be carried out.
/// </summary>
internal static class BackupHandlers
{
    public static ValueTask ExecuteAsync(AdminCall call) => RefuseAsync(call);

    public static ValueTask InfoAsync(AdminCall call) => RefuseAsync(call);

    public static void Cancel(AdminCall call)
    {
        RequireName(call);
        call.Permit();
        throw QubesErrors.General("Backup operation not running");
    }

    private static async ValueTask RefuseAsync(AdminCall call)
    {
        RequireName(call);
        call.Permit();
        string profile = Path.Combine(call.Services.Storage.Environment.Paths.BackupProfileDirectory, call.UntrustedArgument + ".conf");
        throw await Task.Run(() => File.Exists(profile))
            ? QubesErrors.NotImplemented("This version makes no backups")
            : QubesErrors.BackupProfileNotFound(call.UntrustedArgument);
    }

    private static void RequireName(AdminCall call)
    {
        if (call.UntrustedArgument.Contains('/', StringComparison.Ordinal))
        {
            throw QubesErrors.Protocol("Backup profile ID must not contain forward slash character");
        }
    }
}
