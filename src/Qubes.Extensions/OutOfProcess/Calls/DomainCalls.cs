using System.Text.Json;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Lifecycle.DomainXml;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Libvirt;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.OutOfProcess.Calls;

/// <summary>Looks at the hypervisor's side of a qube. Changing it is the daemon's.</summary>
internal static class DomainCalls
{
    // {"qube": NAME} → {"id": NUMBER, "xml": TEXT, "disks": [{"target": NAME, "path": PATH, "format": NAME, "read_only": BOOL, "name": VOLUME}, …]}
    // The qube must be running in some way.

    public static async Task<Action<Utf8JsonWriter>?> GetAsync(ExtensionEnvironment environment, RpcParams parameters)
    {
        QubesVM qube = ModelCalls.QubeOf(environment.App, parameters) as QubesVM
            ?? throw QubesErrors.General($"'{parameters.Text("qube")}' is no domain of the hypervisor");
        if (!qube.IsRunning)
        {
            throw QubesErrors.VMNotRunning(qube.Name);
        }

        IHypervisor hypervisor = environment.Hypervisor() ?? throw QubesErrors.General("The hypervisor is not connected yet");
        int id = qube.Runtime.Xid;
        string xml;
        IReadOnlyList<DomainDisk> disks;
        try
        {
            xml = await hypervisor.DescribeAsync(DomainKey.Of(qube));
            disks = await hypervisor.GetDisksAsync(DomainKey.Of(qube));
        }
        catch (Exception e) when (e is LibvirtException or LaneTimeoutException)
        {
            throw QubesErrors.General($"The domain of {qube.Name} cannot be looked at: {e.Message}");
        }

        return writer =>
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", id);
            writer.WriteString("xml", xml);
            writer.WriteStartArray("disks");
            foreach (DomainDisk disk in disks)
            {
                writer.WriteStartObject();
                writer.WriteString("target", disk.Target);
                writer.WriteString("path", disk.Path);
                writer.WriteString("format", disk.Format);
                writer.WriteBoolean("read_only", disk.IsReadOnly);
                writer.WriteString("name", disk.Serial);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        };
    }
}
