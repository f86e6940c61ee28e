using Qubes.Admin.Handlers;

namespace Qubes.Admin.Methods.Families;

/// <summary>Calls about the state of everything at once.</summary>
internal static class StateMethods
{
    public static IEnumerable<AdminMethod> Rows() =>
    [
        AdminRow.Global("admin.state.Get", AdminRow.Reads) with
        {
            Handler = StateHandlers.GetAsync, Help = "Reads all qubes with their properties, features, tags, devices, firewall rules, and the system, at once",
            Result = "JSON with revision and position, see beyond-upstream.md",
        },
        AdminRow.Global("admin.state.Follow", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Answer = StateHandlers.Follow,
            Help = "Streams the changes of that state; argument: the position it is followed from",
            Result = "events, until the caller goes",
        },
    ];
}
