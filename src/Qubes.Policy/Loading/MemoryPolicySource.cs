using System.Text;
using Qubes.Linux;

namespace Qubes.Policy.Loading;

/// <summary>A policy that is nowhere on disk: to check a text before it is written, and for tests.</summary>
public sealed class MemoryPolicySource : IPolicySource
{
    private readonly SortedDictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private ulong _version;

    /// <inheritdoc/>
    public IReadOnlyList<PolicyDirectory> Directories { get; init; } =
        [new PolicyDirectory("/run/qubes/policy.d", Required: false), new PolicyDirectory("/etc/qubes/policy.d", Required: false)];

    /// <inheritdoc/>
    public string LegacyDirectory => "/etc/qubes-rpc/policy";

    /// <summary>Puts or replaces a file; a name that is not absolute is below <c>/etc/qubes/policy.d</c>.</summary>
    public MemoryPolicySource With(string path, string text) => With(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Puts or replaces a file.</summary>
    public MemoryPolicySource With(string path, byte[] content)
    {
        _files[Locate("/etc/qubes/policy.d", path)] = content;
        _version++;
        return this;
    }

    /// <summary>Removes a file.</summary>
    public MemoryPolicySource Without(string path)
    {
        _files.Remove(Locate("/etc/qubes/policy.d", path));
        _version++;
        return this;
    }

    /// <inheritdoc/>
    public IReadOnlyList<PolicyEntry> List(string directory)
    {
        string prefix = directory.TrimEnd('/') + "/";
        List<PolicyEntry> entries = [];
        foreach (string path in _files.Keys.Where(p => p.StartsWith(prefix, StringComparison.Ordinal)))
        {
            string rest = path[prefix.Length..];
            int slash = rest.IndexOf('/', StringComparison.Ordinal);
            PolicyEntry entry = slash < 0 ? new PolicyEntry(rest, IsFile: true) : new PolicyEntry(rest[..slash], IsFile: false);
            if (!entries.Contains(entry))
            {
                entries.Add(entry);
            }
        }

        return entries.Count > 0 ? entries : throw new DirectoryNotFoundException($"No such directory: '{directory}'");
    }

    /// <inheritdoc/>
    public string Locate(string baseDirectory, string path) => Path.GetFullPath(path, baseDirectory);

    /// <inheritdoc/>
    public string Resolve(string path) => path;

    /// <inheritdoc/>
    public bool IsFile(string path) => _files.ContainsKey(path);

    /// <inheritdoc/>
    public bool IsDirectory(string path) =>
        _files.Keys.Any(p => p.StartsWith(path.TrimEnd('/') + "/", StringComparison.Ordinal));

    /// <inheritdoc/>
    public byte[]? Read(string path, int limit) => _files[path].Length <= limit ? _files[path] : null;

    /// <summary>Any change is a change of everything: the version stands in for the stamp.</summary>
    public FileStamp Stamp(string path) => new(1, 0, _version, 0, 0, 0);
}
