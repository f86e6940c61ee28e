using Microsoft.Win32.SafeHandles;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// Replaces a file so that, whatever happens, its name leads to the whole old content or the whole new one,
/// and after return the new one survives a power cut.
/// </summary>
/// <remarks>
/// Steps: temporary file in the same directory → owner and mode → fsync → rename → fsync of the directory.
/// The temporary file is called <c>.NAME.RANDOM.tmp</c>; one left by a crash is removed by <see cref="RemoveLeftovers"/>.
/// </remarks>
public static class AtomicFile
{
    private const string TemporarySuffix = ".tmp";

    /// <summary>Replaces <paramref name="path"/>. Blocks on the disk: never call it on the model loop.</summary>
    /// <param name="groupId">Group of the new file; null leaves the creator's.</param>
    /// <param name="beforeRename">Gets the open new file, complete and durable, before it takes the name.</param>
    /// <exception cref="LinuxException">
    /// A step failed; no temporary file is left. The old content stands, unless it was the last step, making the new name durable.
    /// </exception>
    public static void Write(
        string path, ReadOnlySpan<byte> content, UnixFileMode mode, uint? groupId = null, Action<SafeFileHandle>? beforeRename = null)
    {
        var directory = DirectoryOf(path);
        var temporary = Path.Combine(directory,
            $".{Path.GetFileName(path)}.{KernelRandom.HexString(12)}{TemporarySuffix}");

        using (var file = FileCalls.Open(temporary,
            FileCalls.O_WRONLY | FileCalls.O_CREAT | FileCalls.O_EXCL | FileCalls.O_NOFOLLOW | FileCalls.O_CLOEXEC, 0x180 /* 0600 */))
        {
            if (file.IsInvalid)
                throw LinuxException.FromLastError("open", temporary);
            try
            {
                WriteAll(file, content, temporary);
                if (groupId is { } gid && FileCalls.Fchown(file, uint.MaxValue, gid) != 0)
                    throw LinuxException.FromLastError("fchown", temporary);
                if (FileCalls.Fchmod(file, (uint)mode) != 0)
                    throw LinuxException.FromLastError("fchmod", temporary);
                FaultPoint.Hit("atomic-file-written");
                if (FileCalls.Fsync(file) != 0)
                    throw LinuxException.FromLastError("fsync", temporary);
                FaultPoint.Hit("atomic-file-synced");
                beforeRename?.Invoke(file);
                if (FileCalls.Rename(temporary, path) != 0)
                    throw LinuxException.FromLastError("rename", path);
            }
            catch
            {
                _ = FileCalls.Unlink(temporary);
                throw;
            }
        }

        FaultPoint.Hit("atomic-file-renamed");
        SyncDirectory(directory);
        FaultPoint.Hit("atomic-file-durable");
    }

    /// <summary><see cref="Write"/> on the thread pool. <paramref name="content"/> must not change until it is done.</summary>
    /// <param name="cancellationToken">Prevents the write from starting; one under way is finished.</param>
    public static Task WriteAsync(string path, ReadOnlyMemory<byte> content, UnixFileMode mode, uint? groupId = null,
        CancellationToken cancellationToken = default) =>
        Task.Run(() => Write(path, content.Span, mode, groupId), cancellationToken);

    /// <summary>Makes earlier creations, renames and removals in <paramref name="directory"/> durable.</summary>
    public static void SyncDirectory(string directory)
    {
        using var handle = FileCalls.Open(directory, FileCalls.O_RDONLY | FileCalls.O_DIRECTORY | FileCalls.O_CLOEXEC, 0);
        if (handle.IsInvalid)
            throw LinuxException.FromLastError("open", directory);
        if (FileCalls.Fsync(handle) != 0)
            throw LinuxException.FromLastError("fsync", directory);
    }

    /// <summary>Removes temporary files that writes of <paramref name="path"/> cut short by a crash have left.</summary>
    /// <returns>How many were removed.</returns>
    public static int RemoveLeftovers(string path)
    {
        var directory = DirectoryOf(path);
        if (!Directory.Exists(directory))
            return 0;
        var removed = 0;
        foreach (var leftover in Directory.EnumerateFiles(directory, $".{Path.GetFileName(path)}.*{TemporarySuffix}"))
        {
            File.Delete(leftover);
            removed++;
        }

        return removed;
    }

    private static string DirectoryOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";

    private static unsafe void WriteAll(SafeFileHandle file, ReadOnlySpan<byte> content, string path)
    {
        fixed (byte* start = content)
        {
            var done = 0;
            while (done < content.Length)
            {
                var written = FileCalls.Write(file, start + done, (nuint)(content.Length - done));
                if (written >= 0)
                    done += (int)written;
                else if (System.Runtime.InteropServices.Marshal.GetLastPInvokeError() != Errno.EINTR)
                    throw LinuxException.FromLastError("write", path);
            }
        }
    }
}
