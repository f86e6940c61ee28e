using Qubes.Linux;

namespace Qubes.Daemon.Tests;

/// <summary>A root prefix for a daemon, empty at first, gone afterwards.</summary>
internal sealed class ScratchRoot : IDisposable
{
    public ScratchRoot(string? path = null)
    {
        // Short: socket paths have little room.
        Path = path ?? Directory.CreateTempSubdirectory("qd-").FullName;
        Paths = new QubesPaths(Path);
    }

    public string Path { get; }

    public QubesPaths Paths { get; }

    /// <summary>Everything beneath <c>var/lib/qubes</c>, relative, directories with a slash at the end, sorted.</summary>
    public IReadOnlyList<string> StateEntries() =>
        [.. Directory.EnumerateFileSystemEntries(
                Paths.StateDirectory, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .Select(path => System.IO.Path.GetRelativePath(Paths.StateDirectory, path) + (Directory.Exists(path) ? "/" : ""))
            .Order(StringComparer.Ordinal)];

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
