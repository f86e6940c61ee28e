using System.Text;
using Qubes.Linux;
using Qubes.Protocol.Text;

namespace Qubes.Store.Notes;

/// <summary><c>notes.txt</c> of one qube: free text for people. All calls block on the disk and belong on the thread pool.</summary>
public static class NotesFile
{
    public const string Name = "notes.txt";

    /// <summary>In bytes.</summary>
    public const int LargestNotes = 256_000;

    // A file edited by hand may be longer than what callers may send.
    private const int LargestFile = 4 * LargestNotes;

    private const UnixFileMode Mode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Empty when there is no such file.</summary>
    /// <exception cref="IOException">It cannot be read, is too long, or is not UTF-8.</exception>
    public static string Read(string path)
    {
        // Most qubes have none, and an exception takes longer than the look.
        if (!File.Exists(path))
        {
            return "";
        }

        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (file.Length > LargestFile)
            {
                throw new IOException($"it has more than {LargestFile} bytes");
            }

            byte[] content = new byte[file.Length];
            file.ReadExactly(content);
            return Decode(content);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return "";
        }
        catch (Exception e) when (e is DecoderFallbackException or UnauthorizedAccessException)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>Replaces the notes; on return they are durable. No text removes them.</summary>
    /// <exception cref="IOException">They cannot be written; the old ones stand.</exception>
    public static void Write(string path, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > 0)
        {
            AtomicFile.Write(path, Encoding.UTF8.GetBytes(text), Mode, Environment.IsPrivilegedProcess ? GroupDatabase.FindId("qubes") : null);
        }
        else if (File.Exists(path))
        {
            File.Delete(path);
            AtomicFile.SyncDirectory(Path.GetDirectoryName(path)!);
        }
    }

    /// <summary>Makes text from outside fit for display: what could mislead a reader becomes <c>_</c>.</summary>
    /// <exception cref="DecoderFallbackException">Not UTF-8.</exception>
    public static string Sanitise(ReadOnlySpan<byte> untrustedNotes) => DisplayText.Sanitise(Decode(untrustedNotes));

    private static string Decode(ReadOnlySpan<byte> bytes) => StrictUtf8.GetString(bytes);
}
