using System.Buffers;
using Qubes.Linux;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>A path that a driver names. It goes into the description of a domain, into the log and to clients.</summary>
internal static class ExternalPath
{
    private const int MaxLength = 1024;
    private const uint BlockDevice = 0x6000;
    private const uint TypeMask = 0xF000;

    // Printable ASCII: what is given to QEMU is the very text the driver meant, however often it is written and read.
    private static readonly SearchValues<char> Characters = SearchValues.Create([.. Enumerable.Range(0x20, 0x5f).Select(c => (char)c)]);

    /// <summary>Absolute, with no empty, <c>.</c> or <c>..</c> part.</summary>
    /// <exception cref="QubesException">It is not; with a <see cref="FormatException"/> inside.</exception>
    public static string Checked(string untrustedPath) =>
        untrustedPath.Length is > 1 and <= MaxLength
        && !untrustedPath.AsSpan().ContainsAnyExcept(Characters)
        && Path.IsPathFullyQualified(untrustedPath)
        && Path.TrimEndingDirectorySeparator(Path.GetFullPath(untrustedPath)) == untrustedPath
            ? untrustedPath
            : throw Unusable("a path that is not absolute, plain and printable");

    /// <summary>True for a regular file, false for a block device; links are followed.</summary>
    /// <exception cref="QubesException">It is neither; with a <see cref="FormatException"/> inside.</exception>
    public static bool IsFile(string path)
    {
        try
        {
            return FileStatus.FindStrictly(path, followLink: true) switch
            {
                { IsRegularFile: true } => true,
                { } status when (status.Mode & TypeMask) == BlockDevice => false,
                _ => throw Unusable($"{path}, which is neither a file nor a block device"),
            };
        }
        catch (LinuxException e)
        {
            throw Unusable($"{path}, which cannot be looked at ({e.Message})");
        }
    }

    private static QubesException Unusable(string what) =>
        new(QubesErrorNames.StoragePool, "The storage driver named " + what, new FormatException(what));
}
