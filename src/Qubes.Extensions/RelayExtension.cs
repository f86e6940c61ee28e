using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Names;

namespace Qubes.Extensions;

/// <summary>
/// Qubes of other hosts and the qube here that relays calls to them: the tag <c>relayvm-NAME</c> on each RemoteVM, and in the relay's
/// QubesDB <c>/remote/QUBE</c>, the name the qube has there. A key goes when its RemoteVM is relayed by another or is removed.
/// </summary>
internal static class RelayExtension
{
    private const string TagPrefix = "relayvm-";

    public static void Register(QubesApp app, DurableEvents durable)
    {
        app.Events.On(EmitterClass.RemoteVM, "domain-init", Tag);
        app.Events.On(EmitterClass.RemoteVM, "domain-load", Tag);
        app.Events.On(EmitterClass.RemoteVM, RemoteVMProperties.RelayVM.SetEvent, Tag);
        app.Events.On(EmitterClass.RemoteVM, RemoteVMProperties.RelayVM.ResetEvent, Tag);
        app.Events.On(EmitterClass.LocalVM, "domain-start", started => WriteAll((LocalQube)started.Subject));
        app.Events.On(EmitterClass.Qubes, "domain-delete", deleted =>
        {
            if (deleted.Arguments["vm"] is RemoteVM { } remote && RemoteVMProperties.RelayVM.Get(remote) is { } relay)
            {
                relay.QubesDb.Remove(KeyOf(remote));
            }
        });
        durable.On("property-set", RemoteVMProperties.RelayVM.Name, Move);
        durable.On("property-reset", RemoteVMProperties.RelayVM.Name, Move);
        durable.On("property-set", RemoteVMProperties.RemoteName.Name, Write);
        durable.On("property-reset", RemoteVMProperties.RemoteName.Name, Write);
    }

    private static string KeyOf(RemoteVM remote) => "/remote/" + remote.Name;

    private static void Tag(QubesEvent changed)
    {
        RemoteVM remote = (RemoteVM)changed.Subject;
        string? wanted = RemoteVMProperties.RelayVM.Get(remote) is { } relay ? TagPrefix + relay.Name : null;
        foreach (string tag in remote.Tags.All.Where(t => t.StartsWith(TagPrefix, StringComparison.Ordinal) && t != wanted).ToArray())
        {
            remote.Tags.Remove(TagName.Parse(tag));
        }

        // A qube's name may have a dot, a tag may not: such a relay cannot be told by tag.
        if (TagName.TryParse(wanted, out TagName name))
        {
            remote.Tags.Add(name);
        }
    }

    private static void Move(QubesEvent changed)
    {
        if (changed.Subject is RemoteVM remote)
        {
            (changed.Arguments["oldvalue"] as LocalQube)?.QubesDb.Remove(KeyOf(remote));
            Write(remote);
        }
    }

    private static void Write(QubesEvent changed)
    {
        if (changed.Subject is RemoteVM remote)
        {
            Write(remote);
        }
    }

    private static void Write(RemoteVM remote)
    {
        if (RemoteVMProperties.RelayVM.Get(remote) is { QubesDb.IsConnected: true } relay)
        {
            relay.QubesDb.Write(KeyOf(remote), RemoteVMProperties.RemoteName.Get(remote) is { Length: > 0 } name ? name : remote.Name);
        }
    }

    private static void WriteAll(LocalQube relay)
    {
        foreach (RemoteVM remote in relay.App.Domains.OfType<RemoteVM>().Where(r => RemoteVMProperties.RelayVM.Get(r) == relay))
        {
            Write(remote);
        }
    }
}
