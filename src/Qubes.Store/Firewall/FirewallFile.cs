using System.Globalization;
using Qubes.Linux;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Firewall;
using Qubes.Store.Files;

namespace Qubes.Store.Firewall;

/// <summary><c>firewall.xml</c> of one qube. All calls block on the disk and belong on the thread pool, one at a time for each file.</summary>
public static class FirewallFile
{
    public const string Name = "firewall.xml";

    // A rule takes some 500 bytes; the most there can be fit.
    private const long LargestFile = 8 << 20;

    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite
        | UnixFileMode.OtherRead;

    /// <summary>Null when there is no such file.</summary>
    /// <exception cref="QubesException"><c>QubesVMError</c>: it cannot be read or understood.</exception>
    public static IReadOnlyList<FirewallRule>? Read(string path)
    {
        byte[] content;
        try
        {
            // Most qubes have none, and an exception takes longer than the look. What cannot be looked at is not absent.
            if (FileStatus.Find(path) is null)
            {
                return null;
            }

            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (file.Length > LargestFile)
            {
                throw QubesErrors.VM($"{Name} is larger than {LargestFile} bytes");
            }

            content = new byte[file.Length];
            file.ReadExactly(content);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new QubesException(QubesErrorNames.VMError, $"{Name} cannot be read: {e.Message}", e);
        }

        return FirewallXmlReader.Read(content);
    }

    /// <summary>Replaces the file; on return the new one is durable.</summary>
    /// <exception cref="IOException">It cannot be written; the old one stands.</exception>
    public static void Write(string path, IReadOnlyList<FirewallRule> rules) =>
        AtomicFile.Write(path, FirewallXmlWriter.Write(rules), Mode, Environment.IsPrivilegedProcess ? GroupDatabase.FindId("qubes") : null);

    /// <summary>The file of a qube as it is to be with these rules.</summary>
    /// <param name="directoryName">The qube's, such as <c>appvms/work</c>.</param>
    /// <param name="rules">All rules.</param>
    public static FileChange ChangeFor(string directoryName, IReadOnlyList<FirewallRule> rules) =>
        new($"{directoryName}/{Name}", FirewallXmlWriter.Write(rules).ToArray(), Mode);

    /// <summary>Keeps a file that cannot be understood under another name, which nothing overwrites, before it is replaced.</summary>
    public static void KeepDamaged(string path, DateTimeOffset now)
    {
        if (!File.Exists(path))
        {
            return;
        }

        string kept = string.Create(CultureInfo.InvariantCulture, $"{path}.damaged-{now:yyyyMMdd'T'HHmmss'Z'}");
        string free = kept;
        for (int i = 1; File.Exists(free); i++)
        {
            free = string.Create(CultureInfo.InvariantCulture, $"{kept}-{i}");
        }

        File.Copy(path, free);
    }
}
