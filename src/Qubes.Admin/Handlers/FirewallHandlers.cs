using Qubes.Admin.Calls;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Firewall;

namespace Qubes.Admin.Handlers;

/// <summary><c>admin.vm.firewall.*</c>.</summary>
internal static class FirewallHandlers
{
    // <rule> LF each; see FirewallRuleParser
    public static async ValueTask GetAsync(AdminCall call)
    {
        call.Permit();
        foreach (FirewallRule rule in await call.Services.Firewall.GetAsync(Owner(call)))
        {
            call.WriteLine(rule.ApiText);
        }
    }

    public static async ValueTask SetAsync(AdminCall call)
    {
        IReadOnlyList<FirewallRule> rules = FirewallRuleParser.ParsePayload(call.UntrustedPayload);
        call.Permit(("rules", rules));
        await QubeFileCalls.SetRulesAsync(call, Owner(call), rules);
    }

    /// <summary>Only the event: whoever carries rules out takes them anew, names resolved again.</summary>
    public static void Reload(AdminCall call)
    {
        call.Permit();
        call.Destination.Fire("firewall-changed");
    }

    internal static QubesVM Owner(Qube qube) => qube as QubesVM ?? throw QubesErrors.VM($"Qubes of class {qube.Klass} have no firewall rules");

    private static QubesVM Owner(AdminCall call) => Owner(call.Destination);
}
