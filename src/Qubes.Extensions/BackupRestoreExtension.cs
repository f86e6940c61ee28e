using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions;

/// <summary>A qube whose restore from a backup is under way does not start.</summary>
internal static class BackupRestoreExtension
{
    private const string InProgressTag = "backup-restore-in-progress";

    public static void Register(QubesApp app) => app.Events.On(EmitterClass.LocalVM, "domain-pre-start", BeforeStart);

    private static void BeforeStart(QubesEvent qubesEvent)
    {
        if (((Qube)qubesEvent.Subject).Tags.Contains(InProgressTag))
        {
            throw QubesErrors.VM("Restore of this domain in progress, cannot start");
        }
    }
}
