using Qubes.Linux;
using Qubes.Policy.Loading;

namespace Qubes.Policy.Administration;

/// <summary>A policy as it would be with one file changed.</summary>
/// <param name="path">The file, without links on the way.</param>
/// <param name="content">What would stand in it; null if it would be gone.</param>
internal sealed class ChangedPolicySource(IPolicySource current, string path, byte[]? content) : IPolicySource
{
    public IReadOnlyList<PolicyDirectory> Directories => current.Directories;

    public string LegacyDirectory => current.LegacyDirectory;

    public IReadOnlyList<PolicyEntry> List(string directory)
    {
        IReadOnlyList<PolicyEntry> entries = current.List(directory);
        if (current.Resolve(directory) != Path.GetDirectoryName(path))
        {
            return entries;
        }

        string name = Path.GetFileName(path);
        IEnumerable<PolicyEntry> others = entries.Where(entry => entry.Name != name);
        return content is null ? [.. others] : [.. others, new PolicyEntry(name, IsFile: true)];
    }

    public string Locate(string baseDirectory, string path) => current.Locate(baseDirectory, path);

    public string Resolve(string path) => current.Resolve(path);

    public bool IsFile(string path) => IsChanged(path) ? content is not null : current.IsFile(path);

    public bool IsDirectory(string path) => current.IsDirectory(path);

    public byte[]? Read(string path, int limit)
    {
        if (!IsChanged(path))
        {
            return current.Read(path, limit);
        }

        byte[] changed = content ?? throw new FileNotFoundException($"No such file: '{path}'");
        return changed.Length <= limit ? changed : null;
    }

    public FileStamp Stamp(string path) => current.Stamp(path);

    private bool IsChanged(string other) => current.Resolve(other) == path;
}
