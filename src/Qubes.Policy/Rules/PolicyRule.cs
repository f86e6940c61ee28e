using Qubes.Policy.Tokens;

namespace Qubes.Policy.Rules;

/// <summary>One validated rule.</summary>
/// <param name="Place">Where it was read, for explanations.</param>
/// <param name="Service">The service, null for any.</param>
/// <param name="Argument">The argument with its leading <c>+</c>, null for any.</param>
/// <param name="Source">The callers it is about.</param>
/// <param name="Target">The requested targets it is about.</param>
/// <param name="Action">What happens.</param>
public sealed record PolicyRule(
    PolicyPlace Place, string? Service, string? Argument, PolicyToken Source, PolicyToken Target, RuleAction Action)
{
    /// <summary>The complete rule in the language it was written in.</summary>
    public override string ToString() => RulePrinter.Print(this);
}
