using Qubes.Policy.Rules;

namespace Qubes.Policy.Evaluation;

/// <summary>Leaves the evaluation of a call that is refused.</summary>
public sealed class CallDeniedException(string reason, PolicyRule? rule = null, bool notify = true) : Exception(reason)
{
    /// <summary>The rule that led here, null if none did.</summary>
    public PolicyRule? Rule { get; } = rule;

    /// <summary>Whether a person is told.</summary>
    public bool Notify { get; } = notify;
}
