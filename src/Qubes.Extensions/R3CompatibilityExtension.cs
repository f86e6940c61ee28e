using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;

namespace Qubes.Extensions;

/// <summary>What agents of release 3 look for in their QubesDB: the old names of classes and services.</summary>
internal static class R3CompatibilityExtension
{
    private static readonly (string Feature, string Service)[] Services =
    [
        ("service.ntpd", "ntpd"), ("check-updates", "qubes-update-check"), ("dvm", "qubes-dvm"), ("updates-proxy-setup", "yum-proxy-setup"),
    ];

    public static void Register(QubesApp app) => app.Events.On(EmitterClass.QubesVM, "domain-qdb-create", WriteAll);

    private static void WriteAll(QubesEvent created)
    {
        QubesVM qube = (QubesVM)created.Subject;
        qube.QubesDb.Write("/qubes-vm-type", TypeOf(qube));
        qube.QubesDb.Write("/qubes-iptables-error", "");
        foreach ((string feature, string service) in Services)
        {
            if (qube.Features.TryGet(feature, out string? value))
            {
                qube.QubesDb.Write("/qubes-service/" + service, value.Length > 0 ? "1" : "0");
            }
        }
    }

    private static string TypeOf(QubesVM qube) => qube switch
    {
        TemplateVM => "TemplateVM",
        { ProvidesNetwork: true, NetVM: not null } => "ProxyVM",
        { ProvidesNetwork: true } => "NetVM",
        _ => "AppVM",
    };
}
