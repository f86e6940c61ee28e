using System.Net;
using System.Text;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.QubesDb;
using Qubes.Protocol.Firewall;
using Qubes.Protocol.QubesDb;

namespace Qubes.Lifecycle.Firewall;

/// <summary>
/// Tells the rules in the old form (<see cref="IptablesText"/>) to each netvm that does not say, by the feature <c>qubes-firewall</c>, that it
/// carries out the new one.
/// </summary>
internal sealed class LegacyFirewallPublisher(FirewallService firewall)
{
    public void Register(EventHandlers events)
    {
        EmitterClass level = EmitterClass.QubesVM;
        events.OnAwaited(level, "domain-spawn", started => PublishAsync(((QubesVM)started.Subject).NetVM));
        events.On(level, "firewall-changed", changed => PublishSoon((QubesVM)changed.Subject));
        events.On(level, "domain-qdb-create", created => _ = PublishReportedAsync((QubesVM)created.Subject));
        events.On(level, "net-domain-connect", connected => _ = PublishReportedAsync((QubesVM)connected.Subject));
    }

    private void PublishSoon(QubesVM client)
    {
        if (client.IsRunning && client.NetVM is { } netvm)
        {
            _ = PublishReportedAsync(netvm);
        }
    }

    private async Task PublishReportedAsync(QubesVM netvm)
    {
        try
        {
            await PublishAsync(netvm);
        }
        catch (Exception e)
        {
            firewall.Report(e, netvm);
        }
    }

    /// <summary>At once if all rules are in memory, else when they were read.</summary>
    private async Task PublishAsync(QubesVM? netvm)
    {
        if (netvm is null || !IsWanted(netvm))
        {
            return;
        }

        foreach (QubesVM client in Clients(netvm))
        {
            await firewall.EnsureLoadedAsync(client);
        }

        if (IsWanted(netvm))
        {
            Publish(netvm);
        }
    }

    private static bool IsWanted(QubesVM netvm) =>
        netvm.QubesDb.IsConnected && string.IsNullOrEmpty(netvm.Features.CheckWithTemplate("qubes-firewall"));

    private static QubesVM[] Clients(QubesVM netvm) => [.. netvm.ConnectedQubes.Where(client => client.IsRunning && client.IP is not null)];

    private void Publish(QubesVM netvm)
    {
        QubeDatabase database = netvm.QubesDb;
        database.Remove(IptablesText.RulesPath);
        database.Write(IptablesText.HeaderPath, IptablesText.Header(firewall.Now.ToLocalTime().DateTime));
        foreach (QubesVM client in Clients(netvm).Where(client => client.Firewall.IsLoaded && QubesVMProperties.Xid.Get(client) >= 0))
        {
            database.Write(IptablesText.RulesPath + QubesVMProperties.Xid.Get(client), RulesOf(client, client.IP!));
        }

        database.Write(IptablesText.TriggerPath, IptablesText.Trigger);
    }

    private string RulesOf(QubesVM client, IPAddress address)
    {
        IReadOnlyList<IPAddress> servers = client.Dns is { } dns ? [dns.Primary, dns.Secondary] : [];
        string text = IptablesText.Rules(address, client.Firewall.EffectiveRules, servers, firewall.Now);

        // A list too long for an entry is not told in part: the rule that forbids may be the one that is missing.
        return Encoding.UTF8.GetByteCount(text) <= QubesDbEntry.MaxValueLength ? text : IptablesText.NothingFor(address);
    }
}
