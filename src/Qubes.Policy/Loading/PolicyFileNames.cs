using Qubes.Policy.Text;

namespace Qubes.Policy.Loading;

/// <summary>Which entries of a directory are policy files.</summary>
public static class PolicyFileNames
{
    /// <summary>The ending of a policy file.</summary>
    public const string Suffix = ".policy";

    private static readonly string[] s_legacyIgnored = [".rpmsave", ".rpmnew", ".swp"];

    /// <summary>True if the entry is meant to be policy: a file with the ending, not hidden.</summary>
    public static bool IsPolicyFile(PolicyEntry entry) =>
        entry.IsFile && !entry.Name.StartsWith('.') && entry.Name.EndsWith(Suffix, StringComparison.Ordinal);

    /// <summary>True if a policy file may have this name; one that may not makes the whole policy invalid.</summary>
    public static bool IsValid(string name) => !name.AsSpan().ContainsAnyExcept(NameCharacters.FileName);

    /// <summary>Why an entry of the one-service directory is not used, or null if it is.</summary>
    internal static string? ReasonToIgnoreLegacy(PolicyEntry entry)
    {
        if (!entry.IsFile)
        {
            return "not a file";
        }

        // A name that is only the ending, as ".swp", is hidden rather than something with an ending.
        if (Array.Exists(s_legacyIgnored, s => entry.Name.Length > s.Length && entry.Name.EndsWith(s, StringComparison.Ordinal)))
        {
            return "ignored suffix";
        }

        if (entry.Name.StartsWith('.'))
        {
            return "dotfile";
        }

        return NameCharacters.Invalid(entry.Name, NameCharacters.Argument) is { Count: > 0 } invalid
            ? $"invalid characters: {PythonText.QuoteTuple(invalid)}"
            : null;
    }
}
