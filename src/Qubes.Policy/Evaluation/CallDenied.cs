using Qubes.Policy.Rules;

namespace Qubes.Policy.Evaluation;

/// <summary>The call is refused.</summary>
/// <param name="Reason">Why, for the log; callers are never told. Safe to log.</param>
/// <param name="Notify">Whether a person is told.</param>
/// <param name="Rule">The rule that decided; null if none did.</param>
public sealed record CallDenied(string Reason, bool Notify, PolicyRule? Rule) : PolicyDecision(Rule)
{
    /// <summary>The refusal an exception stands for.</summary>
    public static CallDenied From(CallDeniedException e) => new(e.Message, e.Notify, e.Rule);
}
