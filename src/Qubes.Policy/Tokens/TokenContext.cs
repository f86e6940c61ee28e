namespace Qubes.Policy.Tokens;

/// <summary>Where a token stands; not every token may stand everywhere.</summary>
public enum TokenContext
{
    /// <summary>The source field of a rule.</summary>
    Source,

    /// <summary>The target field of a rule.</summary>
    Target,

    /// <summary>The value of <c>target=</c> or <c>default_target=</c>.</summary>
    Redirect,

    /// <summary>What the caller asked for.</summary>
    IntendedTarget,
}
