using Qubes.Policy.Rules;

namespace Qubes.Policy.Evaluation;

/// <summary>What policy says about a call.</summary>
/// <param name="DecidedBy">The rule that decided; null if none did.</param>
public abstract record PolicyDecision(PolicyRule? DecidedBy);
