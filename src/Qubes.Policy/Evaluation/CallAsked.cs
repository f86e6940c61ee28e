using System.Collections.Immutable;
using Qubes.Policy.Rules;
using Qubes.Policy.Text;
using Qubes.Policy.Tokens;

namespace Qubes.Policy.Evaluation;

/// <summary>A person chooses.</summary>
/// <param name="Rule">The rule that decided.</param>
/// <param name="Request">The call.</param>
/// <param name="Targets">What there is to choose from, sorted; never empty. Names, and <c>@dispvm:NAME</c>.</param>
/// <param name="DefaultTarget">The one chosen first, null if there is none.</param>
/// <param name="Warning">Something to log, safe to log.</param>
public sealed record CallAsked(
    PolicyRule Rule, PolicyRequest Request, ImmutableArray<string> Targets, string? DefaultTarget, string? Warning)
    : PolicyDecision(Rule)
{
    /// <summary>The person chose <paramref name="untrustedTarget"/>.</summary>
    public PolicyDecision Choose(string untrustedTarget)
    {
        if (!Targets.Contains(untrustedTarget, StringComparer.Ordinal))
        {
            return new CallDenied($"target {PythonText.Escape(untrustedTarget)} is not a valid choice", Notify: true, Rule);
        }

        PolicyToken target = untrustedTarget.StartsWith(TokenParser.DispVmPrefix, StringComparison.Ordinal)
            ? PolicyToken.DispVmFrom(untrustedTarget[TokenParser.DispVmPrefix.Length..])
            : PolicyToken.Named(untrustedTarget);
        return new CallAllowed(Rule, Request, target);
    }

    /// <summary>
    /// The answer when nobody is asked and consent is assumed: the target the caller named, if a person could have chosen it.
    /// Without a target of its own (<c>@default</c>, <c>@dispvm</c>) a call is refused, since the choice is the person's.
    /// </summary>
    public PolicyDecision AssumeConsent()
    {
        PolicyToken target = Request.Target;
        return Choose(target.IsDom0 ? PolicyToken.Dom0.Text : TargetCollector.NameForm(target, Request.System) ?? target.Text);
    }

    /// <summary>The person refused.</summary>
    public CallDenied Refuse() => new($"denied by the user {Rule.Place}", Rule.Action.Notify, Rule);

    /// <summary>There was nobody to ask, or nobody answered.</summary>
    public CallDenied Unanswered() => new($"nobody could be asked {Rule.Place}", Rule.Action.Notify, Rule);

    /// <summary>The answer was none that is defined.</summary>
    public CallDenied Misunderstand() => new("invalid response", Notify: true, Rule);
}
