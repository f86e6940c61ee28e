using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Operations;

/// <summary>Refuses to shut down what other running qubes rely on, unless forced.</summary>
internal static class ShutdownBlockers
{
    internal static void Register(EventHandlers events)
    {
        events.On(EmitterClass.QubesVM, "domain-pre-shutdown", RefuseWhileConnected, own: true);
        events.On(EmitterClass.QubesVM, "domain-pre-shutdown", RefuseWhileShowing);
        events.On(EmitterClass.QubesVM, "domain-pre-shutdown", RefuseWhilePlaying);
    }

    private static void RefuseWhileConnected(QubesEvent asked)
    {
        QubesVM qube = (QubesVM)asked.Subject;
        if (qube.ProvidesNetwork && Dependents(asked, other => other.NetVM == qube && !IsWaiting(other)) is { Length: > 0 } names)
        {
            throw QubesErrors.VMInUse(qube.Name, "There are other VMs connected to this VM: " + names);
        }
    }

    private static void RefuseWhileShowing(QubesEvent asked)
    {
        if (Dependents(asked, other => other.GuiVM == asked.Subject) is { Length: > 0 } names)
        {
            throw QubesErrors.VM("There are running VMs using this VM as GuiVM: " + names);
        }
    }

    private static void RefuseWhilePlaying(QubesEvent asked)
    {
        QubesVM qube = (QubesVM)asked.Subject;
        if (Dependents(asked, other => other.AudioVM == qube && !IsWaiting(other)) is { Length: > 0 } names)
        {
            throw QubesErrors.VMInUse(qube.Name, "There are running VMs using this VM as AudioVM: " + names);
        }
    }

    /// <summary>Nobody uses it yet: nobody would miss the network or the sound.</summary>
    private static bool IsWaiting(QubesVM qube) => qube is DispVM { IsPreload: true };

    /// <summary>Names of running qubes that rely on the one to be shut down; empty when it is forced.</summary>
    private static string Dependents(QubesEvent asked, Func<QubesVM, bool> rely) => asked.Arguments["force"] is true
        ? ""
        : string.Join(", ", asked.Subject.App.Domains.OfType<QubesVM>()
            .Where(other => other != asked.Subject && other.IsRunning && rely(other)).Select(other => other.Name.Value));
}
