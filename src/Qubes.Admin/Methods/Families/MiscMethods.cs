using Qubes.Admin.Handlers;

namespace Qubes.Admin.Methods.Families;

/// <summary>Calls of the misc socket, by which qubes tell of themselves. The default policy lets every qube make them.</summary>
internal static class MiscMethods
{
    public static IEnumerable<AdminMethod> Rows() =>
    [
        new("qubes.FeaturesRequest")
        {
            Destination = AdminDestination.AdminVM, Scope = AdminScope.None, Entry = AdminEntry.Program, NotInPolicy = true,
            Handler = MiscHandlers.FeaturesRequestAsync, Help = "Takes what the calling qube has written below `/features-request/` in its QubesDB",
        },
        new("qubes.NotifyTools")
        {
            Destination = AdminDestination.AdminVM, Scope = AdminScope.None, Entry = AdminEntry.Program, NotInPolicy = true,
            Handler = MiscHandlers.NotifyToolsAsync, Help = "The same below `/qubes-tools/`, for older agents",
        },
        new("qubes.NotifyUpdates")
        {
            Destination = AdminDestination.AdminVM, Payload = AdminPart.Required, Scope = AdminScope.None, Entry = AdminEntry.Program, NotInPolicy = true,
            Handler = MiscHandlers.NotifyUpdatesAsync, Help = "Takes how many updates the calling qube has found; payload: the number",
        },
    ];
}
