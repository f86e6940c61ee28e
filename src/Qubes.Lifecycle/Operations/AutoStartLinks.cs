using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Operations;

/// <summary>
/// Keeps the host's service manager in step with the property <c>autostart</c>: the unit that starts a qube is wanted at boot by
/// a link <c>etc/systemd/system/multi-user.target.wants/qubes-vm@NAME.service</c>.
/// </summary>
internal sealed class AutoStartLinks(QubesPaths paths)
{
    private const string Unit = "/usr/lib/systemd/system/qubes-vm@.service";
    private const string SetFailed = "Failed to set autostart for VM in systemd";
    private const string ResetFailed = "Failed to reset autostart for VM in systemd";

    private string Directory { get; } = Path.Combine(paths.Root, "etc/systemd/system/multi-user.target.wants");

    internal void Register(EventHandlers events)
    {
        events.On(EmitterClass.QubesVM, QubesVMProperties.AutoStart.PreSetEvent,
            asked => Apply((QubesVM)asked.Subject, asked.Arguments["newvalue"] is true, SetFailed), own: true);
        events.On(EmitterClass.QubesVM, QubesVMProperties.AutoStart.PreResetEvent, asked =>
        {
            if (((QubesVM)asked.Subject).AutoStart)
            {
                Apply((QubesVM)asked.Subject, isWanted: false, ResetFailed);
            }
        }, own: true);

        // A qube that begins with the property set, and the end of one that has it.
        events.On(EmitterClass.QubesVM, "domain-create-on-disk", made => Follow((QubesVM)made.Subject, isWanted: true), own: true);
        events.On(EmitterClass.QubesVM, "domain-remove-from-disk", gone => Follow((QubesVM)gone.Subject, isWanted: false), own: true);
    }

    private void Follow(QubesVM qube, bool isWanted)
    {
        if (qube.AutoStart)
        {
            Apply(qube, isWanted, SetFailed);
        }
    }

    // One link made or removed, in a directory the service manager reads at boot: no wait worth a thread.
    private void Apply(QubesVM qube, bool isWanted, string failure)
    {
        FileInfo link = new(Path.Combine(Directory, $"qubes-vm@{qube.Name}.service"));
        try
        {
            if (!isWanted)
            {
                link.Delete();
            }
            else if (link.LinkTarget != Unit)
            {
                System.IO.Directory.CreateDirectory(Directory);
                link.Delete();
                link.CreateAsSymbolicLink(Unit);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new QubesException(QubesErrorNames.QubesException, failure, e);
        }
    }
}
