using Qubes.Model.Properties;
using Qubes.Model.Properties.Types;

namespace Qubes.Model.Classes;

/// <summary>The properties of qubes of other hosts.</summary>
public static class RemoteVMProperties
{
    public static readonly PropertyDefinition<RemoteVM, bool> IncludeInBackups = new("include_in_backups", BoolType.Instance)
    {
        Default = PropertyDefault.Constant(value: false),
        Help = LocalQubeProperties.IncludeInBackups.Help,
    };

    public static readonly PropertyDefinition<RemoteVM, LocalQube?> RelayVM =
        new("relayvm", new ReferenceType<LocalQube>("LocalVM", allowNone: true))
        {
            Stage = PropertyStage.References,
            Default = PropertyDefault.Constant<LocalQube?>(null),
            Help = "Qube of this host through which the remote qube is reached.",
        };

    public static readonly PropertyDefinition<RemoteVM, string?> RemoteName = new("remote_name", TextType.Instance)
    {
        Default = PropertyDefault.Constant<string?>(null),
        Help = "Name of the qube on its own host.",
    };

    public static readonly PropertyDefinition<RemoteVM, string?> TransportRpc = new("transport_rpc", TextType.Instance)
    {
        Default = PropertyDefault.Constant<string?>(null),
        Help = "Service of the relay that carries calls to the remote qube.",
    };

    internal static IEnumerable<PropertyDefinition> All => [IncludeInBackups, RelayVM, RemoteName, TransportRpc, .. QubeProperties.All];
}
