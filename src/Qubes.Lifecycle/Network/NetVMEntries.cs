using System.Net;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Network;
using Qubes.Model.QubesDb;
using Qubes.Protocol.QubesDb;

namespace Qubes.Lifecycle.Network;

/// <summary>
/// Tells each running netvm whom it gives network to: <c>/connected-ips</c> and <c>/connected-ips6</c>, the addresses that may be
/// seen behind it, and <c>/mapped-ip/ADDRESS</c>, what the qube with that address believes to have.
/// </summary>
internal static class NetVMEntries
{
    public static void Register(EventHandlers events)
    {
        EmitterClass level = EmitterClass.NetVMMixin;
        events.On(level, "domain-pre-spawn", started =>
        {
            QubesVM client = (QubesVM)started.Subject;
            WriteConnected(client.NetVM);
            WriteMapped(client);
        });
        events.On(level, "domain-qdb-create", created => WriteAll((QubesVM)created.Subject));
        events.On(level, NetworkProperties.NetVM.SetEvent, AfterNetVM);
    }

    private static void WriteAll(QubesVM netvm)
    {
        if (!netvm.ProvidesNetwork)
        {
            return;
        }

        WriteConnected(netvm);
        foreach (QubesVM client in netvm.ConnectedQubes.Where(client => client.IsRunning).ToArray())
        {
            WriteMapped(client);
        }
    }

    private static void AfterNetVM(QubesEvent moved)
    {
        QubesVM client = (QubesVM)moved.Subject;
        WriteConnected(moved.Arguments["oldvalue"] as QubesVM);
        if (client.NetVM is not { } netvm)
        {
            return;
        }

        WriteConnected(netvm);
        if (client.IsRunning)
        {
            WriteMapped(client);
            netvm.Fire("net-domain-connect", EventArguments.Of("vm", client));
        }
    }

    private static void WriteConnected(QubesVM? netvm)
    {
        if (netvm is not { QubesDb: { IsConnected: true } database })
        {
            return;
        }

        // Those that run come first: of more than an entry can hold, they are the ones that need it.
        QubesVM[] clients = [.. netvm.ConnectedQubes.OrderByDescending(client => client.IsRunning)];
        database.Write("/connected-ips", Join(clients.Select(client => client.VisibleIP)));
        database.Write("/connected-ips6", Join(clients.Select(client => client.VisibleIP6)));
    }

    private static void WriteMapped(QubesVM client)
    {
        if (client is not { NetVM.QubesDb: { IsConnected: true } database, IP: { } address })
        {
            return;
        }

        Set(database, $"/mapped-ip/{address}/visible-ip", client.VisibleIP);
        Set(database, $"/mapped-ip/{address}/visible-gateway", client.VisibleGateway);
    }

    private static void Set(QubeDatabase database, string path, IPAddress? value)
    {
        if (value is null)
        {
            database.Remove(path);
        }
        else
        {
            database.Write(path, value.ToString());
        }
    }

    private static string Join(IEnumerable<IPAddress?> addresses)
    {
        string all = string.Join(' ', addresses.OfType<IPAddress>());
        return all.Length <= QubesDbEntry.MaxValueLength ? all : all[..all.LastIndexOf(' ', QubesDbEntry.MaxValueLength)];
    }
}
