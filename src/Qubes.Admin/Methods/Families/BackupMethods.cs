using Qubes.Admin.Handlers;

namespace Qubes.Admin.Methods.Families;

/// <summary>Calls about backup profiles.</summary>
internal static class BackupMethods
{
    public static IEnumerable<AdminMethod> Rows() =>
    [
        AdminRow.Global("admin.backup.Execute", AdminRow.Executes) with
        {
            Argument = AdminPart.Required, Handler = BackupHandlers.ExecuteAsync, Help = "Makes the backup that a profile describes",
        },
        AdminRow.Global("admin.backup.Cancel", AdminRow.Executes) with
        {
            Argument = AdminPart.Required, Answer = BackupHandlers.Cancel, Help = "Ends the backup of a profile that is under way",
        },
        // Of dom0, yet local for policy, as installed policies have it.
        AdminRow.Global("admin.backup.Info", AdminRow.Reads) with
        {
            Scope = AdminScope.Local, Argument = AdminPart.Required, Handler = BackupHandlers.InfoAsync, Help = "Tells what a profile would back up",
            Result = "a table for people",
        },
    ];
}
