namespace Qubes.Policy.Rules;

/// <summary>What a rule says about the calls it matches.</summary>
public enum RuleVerdict
{
    /// <summary>Refuse.</summary>
    Deny,

    /// <summary>Let it pass.</summary>
    Allow,

    /// <summary>Let a person choose.</summary>
    Ask,
}
