using Qubes.Linux;
using Qubes.Policy.Loading;

namespace Qubes.Policy.Tests;

/// <summary>A root directory on disk with the policy directories, removed at the end.</summary>
internal sealed class ScratchRoot : IDisposable
{
    public ScratchRoot()
    {
        Paths = new QubesPaths(Directory.CreateTempSubdirectory("policy.").FullName);
        Directory.CreateDirectory(Paths.PolicyDirectory);
        Directory.CreateDirectory(Paths.Under("run/qubes/policy.d"));
    }

    public QubesPaths Paths { get; }

    public DirectoryPolicySource Source => new(Paths);

    /// <summary>Full path of a file named relative to the root.</summary>
    public string this[string path] => Paths.Under(path);

    public void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[path])!);
        using StreamWriter file = new(this[path]);
        file.Write(text);
    }

    public void Dispose() => Directory.Delete(Paths.Root, recursive: true);
}
