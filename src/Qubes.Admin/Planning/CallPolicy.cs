using Qubes.Admin.Permissions;
using Qubes.Model.Classes;
using Qubes.Policy.Evaluation;
using Qubes.Policy.Loading;
using Qubes.Policy.SystemState;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Planning;

/// <summary>
/// A call made of several lets a qube do nothing it could not do by the single calls: for each of them policy is asked whether it would
/// have reached the daemon, with nobody asked.
/// </summary>
internal sealed class CallPolicy(LoadedPolicy policy, SystemInfo system)
{
    public static CallPolicy Of(PolicyStore policies, SystemInfoSource system) => new(policies.Current(), system.Current);

    /// <exception cref="QubesException"><c>PermissionDenied</c>.</exception>
    public void Require(Qube caller, ChangeStep step)
    {
        if (caller is AdminVM)
        {
            return;
        }

        string target = step is CreateStep || step.UntrustedQube.Length == 0 ? "@adminvm" : step.UntrustedQube;
        foreach (SingleCall single in ChangeCalls.Of(caller.App, step))
        {
            string service = $"{single.Method}+{single.Argument}";
            PolicyDecision decision = PolicyEvaluator.Decide(policy, new PolicyCall(caller.Name, target, service), system);
            if (!caller.IsInCollection || decision is not CallAllowed { Target.IsDom0: true })
            {
                throw QubesErrors.PermissionDenied($"{step.Place}: policy does not allow {service}");
            }
        }
    }
}
