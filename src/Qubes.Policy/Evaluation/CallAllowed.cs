using Qubes.Policy.Rules;
using Qubes.Policy.Tokens;

namespace Qubes.Policy.Evaluation;

/// <summary>The call goes to <paramref name="Target"/>.</summary>
/// <param name="Rule">The rule that decided.</param>
/// <param name="Request">The call.</param>
/// <param name="Target">A qube by name or uuid, <c>dom0</c>, or <c>@dispvm:X</c>.</param>
public sealed record CallAllowed(PolicyRule Rule, PolicyRequest Request, PolicyToken Target) : PolicyDecision(Rule);
