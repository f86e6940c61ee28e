using Qubes.Admin.Handlers;

namespace Qubes.Admin.Methods.Families;

/// <summary>Calls about several changes at once, and about those that were made.</summary>
internal static class ChangeMethods
{
    public static IEnumerable<AdminMethod> Rows() =>
    [
        AdminRow.Global("admin.change.Plan", AdminRow.Reads) with
        {
            Payload = AdminPart.Required, Handler = ChangeHandlers.PlanAsync,
            Help = "Tells what the changes of a document would do, without doing them", Result = "JSON, see beyond-upstream.md",
        },
        AdminRow.Global("admin.change.Apply", AdminRow.Writes) with
        {
            Payload = AdminPart.Required, Handler = ChangeHandlers.ApplyAsync,
            Help = "Makes the changes of a document, all or none; it names the revision it is meant for", Result = "JSON with the new revision",
        },
        AdminRow.Global("admin.history.List", AdminRow.Reads) with
        {
            Payload = AdminPart.Optional, Handler = HistoryHandlers.ListAsync,
            Help = "Lists the changes that were made, the newest first; payload: `before=N limit=N qube=NAME who=NAME call=PREFIX`, each at will",
            Result = "JSON, see beyond-upstream.md",
        },
        AdminRow.Global("admin.history.Undo", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Handler = HistoryHandlers.UndoAsync,
            Help = "Takes back what a revision changed, unless something else depends on it", Result = "JSON with the new revision",
        },
    ];
}
