using System.Collections.Immutable;
using Qubes.Policy.Rules;
using Qubes.Policy.Syntax;

namespace Qubes.Policy.Loading;

/// <summary>A policy as it stood at one moment: either rules, or the reasons why there are none.</summary>
/// <param name="Rules">All rules in order. Empty, so that everything is denied, when there are errors.</param>
/// <param name="Errors">Everything that is wrong, in the order of the files.</param>
/// <param name="Warnings">What an administrator should know, safe to log.</param>
/// <param name="Files">Every file read, in the order of first use.</param>
/// <param name="Dependencies">What to compare to know whether the policy is still the one on disk.</param>
/// <param name="IsUnreadable">True if a file or directory could not be read: it may be readable next time, unchanged.</param>
public sealed record LoadedPolicy(
    RuleSet Rules,
    ImmutableArray<PolicyDiagnostic> Errors,
    ImmutableArray<string> Warnings,
    ImmutableArray<string> Files,
    ImmutableArray<PolicyDependency> Dependencies,
    bool IsUnreadable)
{
    /// <summary>True if calls can be decided by the rules.</summary>
    public bool IsValid => Errors.IsEmpty;

    /// <summary>The first error, with how many follow it.</summary>
    public string ErrorSummary => Errors.Length switch
    {
        0 => "",
        1 => Errors[0].ToString(),
        _ => $"{Errors[0]} (and {Errors.Length - 1} more)",
    };
}
