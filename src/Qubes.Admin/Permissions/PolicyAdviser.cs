using Qubes.Extensions.OutOfProcess.Policy;
using Qubes.Policy.Checking;
using Qubes.Policy.Evaluation;
using Qubes.Policy.Loading;
using Qubes.Policy.Rules;
using Qubes.Policy.Syntax;

namespace Qubes.Admin.Permissions;

/// <summary>Tells extensions what policy says.</summary>
/// <param name="policies">The policy in force.</param>
/// <param name="system">What policy is told of the system.</param>
public sealed class PolicyAdviser(PolicyStore policies, SystemInfoSource system) : IPolicyAdviser
{
    public async Task<PolicyAdvice> DecideAsync(string source, string target, string serviceAndArgument)
    {
        LoadedPolicy policy = await policies.CurrentAsync(CancellationToken.None);
        PolicyDecision decision = PolicyEvaluator.Decide(policy, new PolicyCall(source, target, serviceAndArgument), system.Current);
        PolicyPlace? place = policy.IsValid ? decision.DecidedBy?.Place : policy.Errors[0].Place;
        return decision switch
        {
            CallAllowed allowed => Advice("allow", $"allowed by policy {place}") with { Target = allowed.Target.Text, User = allowed.Rule.Action.User },
            CallAsked asked => Advice("ask", $"asked by policy {place}") with
            {
                Targets = asked.Targets, DefaultTarget = asked.DefaultTarget, User = asked.Rule.Action.User,
            },
            CallDenied denied => Advice("deny", denied.Reason),
            _ => throw new NotSupportedException(decision.GetType().Name),
        };

        PolicyAdvice Advice(string word, string reason) =>
            new(word, reason, place?.File, place?.Line, Target: null, Targets: [], DefaultTarget: null, User: null);
    }

    public string? FindError(string file, string untrustedRules)
    {
        // A file that is included may change, or go, and then nothing would be allowed to anybody.
        PolicyFileSyntax syntax = PolicyFileParser.Parse(file, untrustedRules, PolicyFormat.Full);
        return PolicyCheck.CheckText(file, untrustedRules, PolicyFormat.Full).FirstOrDefault()?.ToString()
            ?? (syntax.Statements.FirstOrDefault(s => s is not RuleStatement) is { } directive
                ? new PolicyDiagnostic(new PolicyPlace(file, directive.Line), "only rules are possible here").ToString() : null);
    }
}
