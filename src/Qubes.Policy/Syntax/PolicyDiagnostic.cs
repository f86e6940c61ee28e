using Qubes.Policy.Rules;

namespace Qubes.Policy.Syntax;

/// <summary>One thing wrong with the policy.</summary>
/// <param name="Place">The file and line.</param>
/// <param name="Message">What is wrong, safe to log.</param>
public sealed record PolicyDiagnostic(PolicyPlace Place, string Message)
{
    /// <summary><c>FILE:LINE: message</c>.</summary>
    public override string ToString() => $"{Place}: {Message}";
}
