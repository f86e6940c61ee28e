using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Labels;

namespace Qubes.Model;

/// <summary>
/// A second model with the same content, on which changes can be tried: it has the model's own handlers and nothing else, is not saved,
/// and reaches no hypervisor. It shares only immutable things with the original and belongs to whoever made it, on any thread.
/// </summary>
public static class ModelCopy
{
    /// <summary>Copies a complete model; call it where the original belongs.</summary>
    public static QubesApp Of(QubesApp original)
    {
        ArgumentNullException.ThrowIfNull(original);
        QubesApp copy = new(original.Host, classes: original.Classes);
        foreach (Label label in original.Labels.All)
        {
            copy.Labels.Load(label);
        }

        copy.Pools.Load(original.Pools.All);
        foreach (Qube qube in original.Domains)
        {
            copy.Domains.Load(qube.Class, new QubeIdentity(qube.Name, qube.Qid, qube.Uuid));
        }

        // References need all qubes to be there.
        copy.CopySlots(original);
        foreach (Qube qube in original.Domains)
        {
            CopyContent(qube, copy.Domains[qube.Name]);
        }

        copy.Domains.ReserveLike(original.Domains);
        copy.Changes.RestoreRevision(original.Changes.Revision);
        foreach (Qube qube in copy.Domains)
        {
            qube.EventsEnabled = true;
        }

        copy.EventsEnabled = true;
        return copy;
    }

    private static void CopyContent(Qube from, Qube to)
    {
        to.CopySlots(from);
        foreach ((string name, string value) in from.Features.All)
        {
            to.Features.Load(name, value);
        }

        foreach (string tag in from.Tags.All)
        {
            to.Tags.Load(Protocol.Names.TagName.Parse(tag));
        }

        if (from is LocalQube fromLocal && to is LocalQube toLocal)
        {
            foreach (DeviceAssignment assignment in fromLocal.Devices.All)
            {
                toLocal.Devices.Load(assignment);
            }
        }

        if (from is QubesVM fromVm && to is QubesVM toVm)
        {
            toVm.Volumes.Load(fromVm.Volumes.All);
            toVm.Firewall.CopyFrom(fromVm.Firewall);
            toVm.Notes.CopyFrom(fromVm.Notes);
            toVm.Runtime.State = fromVm.Runtime.State;
            toVm.Runtime.Xid = fromVm.Runtime.Xid;
            toVm.Runtime.StubdomXid = fromVm.Runtime.StubdomXid;
            toVm.Runtime.StubdomUuid = fromVm.Runtime.StubdomUuid;
            toVm.Runtime.StartTime = fromVm.Runtime.StartTime;
        }
    }
}
