using Qubes.Linux;
using Qubes.Policy.Loading;

namespace Qubes.Policy.Administration;

/// <summary>One of the two directories whose files the services read and change.</summary>
/// <param name="Path">The directory, without links on the way.</param>
/// <param name="Suffix">What the names of its files end in, which callers leave out.</param>
internal sealed record PolicyFolder(string Path, string Suffix)
{
    private const UnixFileMode FileMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead;

    /// <summary>The names of its files, in order, hidden ones left out.</summary>
    public IReadOnlyList<string> List(IPolicySource source) => !source.IsDirectory(Path)
        ? []
        : [.. source.List(Path)
            .Where(entry => entry.IsFile && !entry.Name.StartsWith('.') && entry.Name.EndsWith(Suffix, StringComparison.Ordinal))
            .Select(entry => entry.Name[..^Suffix.Length])
            .Order(StringComparer.Ordinal)];

    /// <summary>Where the file of a name is, followed if it is a link within the directory; it need not exist.</summary>
    public string Locate(IPolicySource source, string untrustedName)
    {
        if (untrustedName.Length == 0 || !untrustedName.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
        {
            throw PolicyAdministrationException.FileName(untrustedName);
        }

        string path = source.Resolve(System.IO.Path.Join(Path, untrustedName + Suffix));
        return System.IO.Path.GetDirectoryName(path) == Path ? path : throw PolicyAdministrationException.FilePath(Path);
    }

    /// <summary>The content of a file of it; null where there is none.</summary>
    /// <exception cref="PolicyAdministrationException">It is longer than a policy file may be.</exception>
    public static byte[]? Find(IPolicySource source, string path) => !source.IsFile(path)
        ? null
        : source.Read(path, PolicyLimits.Default.FileBytes)
            ?? throw PolicyAdministrationException.Protocol($"{path} is longer than {PolicyLimits.Default.FileBytes} bytes");

    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        AtomicFile.RemoveLeftovers(path);
        AtomicFile.Write(path, content, FileMode, GroupDatabase.FindOwnId("qubes"));
    }

    public static void Remove(string path)
    {
        File.Delete(path);
        AtomicFile.SyncDirectory(System.IO.Path.GetDirectoryName(path)!);
    }
}
