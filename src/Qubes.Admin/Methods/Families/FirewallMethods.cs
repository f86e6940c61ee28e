using Qubes.Admin.Handlers;

namespace Qubes.Admin.Methods.Families;

/// <summary>Calls about what lies in files of a qube's own: firewall rules and notes.</summary>
internal static class FirewallMethods
{
    public static IEnumerable<AdminMethod> Rows() =>
    [
        AdminRow.Local("admin.vm.firewall.Get", AdminRow.Reads) with
        {
            Destination = AdminDestination.NotAdminVM, Handler = FirewallHandlers.GetAsync,
            Help = "Lists the firewall rules of a qube", Result = "a rule a line",
        },
        AdminRow.Local("admin.vm.firewall.Set", AdminRow.Writes) with
        {
            Destination = AdminDestination.NotAdminVM, Payload = AdminPart.Required, Handler = FirewallHandlers.SetAsync,
            Help = "Replaces the firewall rules of a qube by those in the payload, a rule a line",
        },
        AdminRow.Local("admin.vm.firewall.Reload", AdminRow.Executes) with
        {
            Destination = AdminDestination.NotAdminVM, Answer = FirewallHandlers.Reload,
            Help = "Has the firewall rules of a qube applied anew, host names resolved again",
        },
        AdminRow.Local("admin.vm.notes.Get", AdminRow.Reads) with
        {
            Destination = AdminDestination.NotAdminVM, Handler = NotesHandlers.GetAsync, Help = "Reads the notes of a qube", Result = "the text, UTF-8",
        },
        AdminRow.Local("admin.vm.notes.Set", AdminRow.Writes) with
        {
            Destination = AdminDestination.NotAdminVM, Payload = AdminPart.Optional, Handler = NotesHandlers.SetAsync,
            Help = "Replaces the notes of a qube by the payload; none removes them",
        },
    ];
}
