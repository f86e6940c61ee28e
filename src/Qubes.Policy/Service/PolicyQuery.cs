using Qubes.Policy.Evaluation;

namespace Qubes.Policy.Service;

/// <summary>A question to the policy service.</summary>
/// <param name="Call">The call in question.</param>
/// <param name="JustEvaluate">Nobody is asked (a rule that asks denies) or told, and the answer has only the result.</param>
/// <param name="AssumeYesForAsk">A rule that asks allows, for the target the caller named.</param>
public sealed record PolicyQuery(PolicyCall Call, bool JustEvaluate = false, bool AssumeYesForAsk = false);
