using Qubes.Policy.Tokens;

namespace Qubes.Policy.Rules;

/// <summary>The action of a rule with its parameters.</summary>
/// <param name="Verdict">Deny, allow or ask.</param>
/// <param name="Target"><c>target=</c>: where the call goes whatever the caller asked for. Null for deny.</param>
/// <param name="DefaultTarget"><c>default_target=</c>: the choice offered first. Only for ask.</param>
/// <param name="User"><c>user=</c>: the account the service runs as, null for the target's default.</param>
/// <param name="Autostart"><c>autostart=</c>: whether the call may start its target.</param>
/// <param name="Notify"><c>notify=</c>: whether a person is told.</param>
public sealed record RuleAction(
    RuleVerdict Verdict, PolicyToken? Target, PolicyToken? DefaultTarget, string? User, bool Autostart, bool Notify)
{
    /// <summary>A denial; a person is told of it unless the rule says otherwise.</summary>
    public static RuleAction Deny(bool notify = true) => new(RuleVerdict.Deny, null, null, null, true, notify);

    /// <summary>What <see cref="Notify"/> is when the rule does not say.</summary>
    internal static bool DefaultNotify(RuleVerdict verdict) => verdict == RuleVerdict.Deny;
}
