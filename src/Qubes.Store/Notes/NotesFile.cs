using System.Text;
using Qubes.Linux;
using Qubes.Protocol.Text;
using Qubes.Store.Files;

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
        try
        {
            // Most qubes have none, and an exception takes longer than the look.
            if (FileStatus.Find(path) is null)
            {
                return "";
            }

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

    /// <summary>The file of a qube as it is to be with this text; none without text.</summary>
    /// <param name="directoryName">The qube's, such as <c>appvms/work</c>.</param>
    /// <param name="text">The whole text.</param>
    public static FileChange ChangeFor(string directoryName, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new FileChange($"{directoryName}/{Name}", text.Length == 0 ? default(ReadOnlyMemory<byte>?) : Encoding.UTF8.GetBytes(text), Mode);
    }

    /// <summary>Makes text from outside fit for display: what could mislead a reader becomes <c>_</c>.</summary>
    /// <exception cref="DecoderFallbackException">Not UTF-8.</exception>
    public static string Sanitise(ReadOnlySpan<byte> untrustedNotes) => DisplayText.Sanitise(Decode(untrustedNotes));

    private static string Decode(ReadOnlySpan<byte> bytes) => StrictUtf8.GetString(bytes);
}
