using Qubes.Linux;

namespace Qubes.Policy.Loading;

/// <summary>
/// Where policy files come from. Loading is a pure function of what these members return; they may throw
/// <see cref="IOException"/> and <see cref="UnauthorizedAccessException"/>, which becomes an error of the policy.
/// </summary>
public interface IPolicySource
{
    /// <summary>The directories of top-level files, in priority: a name found in an earlier one hides it in the later ones.</summary>
    IReadOnlyList<PolicyDirectory> Directories { get; }

    /// <summary>The directory of one-service files that <c>!compat-4.0</c> brings in.</summary>
    string LegacyDirectory { get; }

    /// <summary>The entries of a directory in any order.</summary>
    IReadOnlyList<PolicyEntry> List(string directory);

    /// <summary>The full path a directive means by <paramref name="path"/>; it need not exist.</summary>
    string Locate(string baseDirectory, string path);

    /// <summary>A full path with all links followed; it need not exist.</summary>
    string Resolve(string path);

    /// <summary>True for a regular file, or a link to one.</summary>
    bool IsFile(string path);

    /// <summary>True for a directory, or a link to one.</summary>
    bool IsDirectory(string path);

    /// <summary>The content, or null if it is longer than <paramref name="limit"/> bytes.</summary>
    byte[]? Read(string path, int limit);

    /// <summary>The state of a path, to notice changes.</summary>
    FileStamp Stamp(string path);
}
