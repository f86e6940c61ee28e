using Qubes.Admin.Handlers;

namespace Qubes.Admin.Methods.Families;

/// <summary>Calls of the internal socket.</summary>
internal static class InternalMethods
{
    public static IEnumerable<AdminMethod> Rows() =>
    [
        new("internal.GetSystemInfo")
        {
            Destination = AdminDestination.AdminVM, Scope = AdminScope.None, Entry = AdminEntry.None,
            Answer = InternalHandlers.GetSystemInfo, Help = "Tells policy of all qubes", Result = "JSON",
        },
        new("internal.SuspendPre")
        {
            Destination = AdminDestination.AdminVM, Scope = AdminScope.None, Entry = AdminEntry.None,
            Handler = InternalHandlers.SuspendPreAsync, Help = "Suspends all qubes, before the host is",
        },
        new("internal.SuspendPost")
        {
            Destination = AdminDestination.AdminVM, Scope = AdminScope.None, Entry = AdminEntry.None,
            Handler = InternalHandlers.SuspendPostAsync, Help = "Resumes the qubes that were suspended with the host",
        },
        new("internal.vm.volume.ImportBegin")
        {
            Argument = AdminPart.Required, Payload = AdminPart.Optional, Scope = AdminScope.None, Entry = AdminEntry.None,
            Handler = ImportHandlers.BeginAsync, Help = "Begins to replace the data of a volume; payload: the new size",
            Result = "`SIZE PATH`: where to write how much",
        },
        new("internal.vm.volume.ImportEnd")
        {
            Argument = AdminPart.Required, Payload = AdminPart.Required, Scope = AdminScope.None, Entry = AdminEntry.None,
            Handler = ImportHandlers.EndAsync, Help = "Ends it; payload: `ok`, or `fail` and a line with the reason",
        },
    ];
}
