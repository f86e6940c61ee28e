using Qubes.Linux;

namespace Qubes.Policy.Loading;

/// <summary>
/// Policy files on disk, all below one root: a path in an include directive is taken as if the root were <c>/</c>, so that a policy
/// written for a whole machine means the same on a scratch root.
/// </summary>
public sealed class DirectoryPolicySource : IPolicySource
{
    // As many links as the kernel follows before it says ELOOP.
    private const int MaxLinks = 40;

    private readonly string _root;

    /// <summary>The directories of a system.</summary>
    public DirectoryPolicySource(QubesPaths paths)
    {
        _root = paths.Root;
        Directories =
        [
            new PolicyDirectory(paths.RuntimePolicyDirectory, Required: false),
            new PolicyDirectory(paths.PolicyDirectory, Required: true),
        ];
        LegacyDirectory = Path.Join(paths.RpcDirectory, "policy");
    }

    /// <inheritdoc/>
    public IReadOnlyList<PolicyDirectory> Directories { get; init; }

    /// <inheritdoc/>
    public string LegacyDirectory { get; init; }

    /// <inheritdoc/>
    public IReadOnlyList<PolicyEntry> List(string directory) =>
        [.. new DirectoryInfo(directory).EnumerateFileSystemInfos().Select(e => new PolicyEntry(e.Name, IsFile(e.FullName)))];

    /// <inheritdoc/>
    public string Locate(string baseDirectory, string path) =>
        Path.IsPathRooted(path) ? Path.GetFullPath(Path.Join(_root, path)) : Path.GetFullPath(path, baseDirectory);

    /// <inheritdoc/>
    public string Resolve(string path)
    {
        string full = path;
        for (int links = 0; links < MaxLinks; links++)
        {
            if (FollowFirstLink(full) is not { } next)
            {
                return full;
            }

            full = next;
        }

        throw new IOException($"Too many levels of symbolic links: '{path}'");
    }

    /// <inheritdoc/>
    public bool IsFile(string path) => FileStamp.Of(path).IsRegularFile;

    /// <inheritdoc/>
    public bool IsDirectory(string path) => FileStamp.Of(path).IsDirectory;

    /// <inheritdoc/>
    public byte[]? Read(string path, int limit)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        using MemoryStream content = new();
        byte[] buffer = new byte[16 * 1024];
        for (int read; (read = file.Read(buffer)) > 0;)
        {
            content.Write(buffer, 0, read);
            if (content.Length > limit)
            {
                return null;
            }
        }

        return content.ToArray();
    }

    /// <inheritdoc/>
    public FileStamp Stamp(string path) => FileStamp.Of(path);

    /// <summary>The path with its first link replaced by what the link says, or null if there is no link in it.</summary>
    private static string? FollowFirstLink(string full)
    {
        for (int end = full.IndexOf('/', 1); ; end = full.IndexOf('/', end + 1))
        {
            string part = end < 0 ? full : full[..end];
            if (new FileInfo(part).LinkTarget is { } target)
            {
                string replaced = Path.GetFullPath(target, Path.GetDirectoryName(part)!);
                return end < 0 ? replaced : Path.Join(replaced, full[end..]);
            }

            if (end < 0)
            {
                return null;
            }
        }
    }
}
