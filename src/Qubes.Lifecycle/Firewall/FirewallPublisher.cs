using System.Net;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.QubesDb;
using Qubes.Protocol.Firewall;

namespace Qubes.Lifecycle.Firewall;

/// <summary>
/// Keeps <c>/qubes-firewall/ADDRESS</c> in the QubesDB of each running netvm as the rules of the qubes behind it are. The guest of the
/// netvm carries them out.
/// </summary>
internal sealed class FirewallPublisher(FirewallService firewall)
{
    public void Register(EventHandlers events)
    {
        EmitterClass level = EmitterClass.NetVMMixin;
        events.OnAwaited(level, "domain-pre-spawn", started => PublishAsync((QubesVM)started.Subject));
        events.OnAwaited(level, "domain-start", started => PublishAsync((QubesVM)started.Subject));
        events.On(level, "firewall-changed", changed => PublishSoon((QubesVM)changed.Subject));
        events.On(level, "domain-qdb-create", created => PublishClients((QubesVM)created.Subject));
        events.On(level, "net-domain-connect", connected =>
        {
            if (connected.Arguments["vm"] is QubesVM client)
            {
                PublishSoon(client);
            }
        });
    }

    private void PublishClients(QubesVM netvm)
    {
        foreach (QubesVM client in netvm.ConnectedQubes.Where(client => client.IsRunning).ToArray())
        {
            PublishSoon(client);
        }
    }

    /// <summary>At once if the rules are in memory, else as soon as they were read.</summary>
    private void PublishSoon(QubesVM client)
    {
        if (!client.IsRunning || client.NetVM is not { QubesDb.IsConnected: true })
        {
            return;
        }

        if (client.Firewall.IsLoaded)
        {
            Publish(client);
            return;
        }

        _ = PublishLaterAsync(client);
    }

    private async Task PublishLaterAsync(QubesVM client)
    {
        try
        {
            await PublishAsync(client);
        }
        catch (Exception e)
        {
            firewall.Report(e, client);
        }
    }

    private async Task PublishAsync(QubesVM client)
    {
        if (client.NetVM is { QubesDb.IsConnected: true })
        {
            await firewall.EnsureLoadedAsync(client);
            Publish(client);
        }
    }

    /// <summary>
    /// First the entries of each address go, then the new ones are written, and the guest's signal last: the guest never takes over half
    /// a list.
    /// </summary>
    private void Publish(QubesVM client)
    {
        if (client.NetVM is not { QubesDb: { IsConnected: true } database })
        {
            return;
        }

        Write(database, client.IP, client);
        Write(database, client.IP6, client);
    }

    private void Write(QubeDatabase database, IPAddress? address, QubesVM client)
    {
        if (address is null)
        {
            return;
        }

        database.Remove(FirewallEntries.SubtreeOf(address));
        foreach ((string path, string value) in FirewallEntries.For(address, client.Firewall.EffectiveRules, firewall.Now))
        {
            database.Write(path, value);
        }
    }
}
