using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>Operations on the content of open files that .NET does not offer. They block on the disk.</summary>
public static class FileContent
{
    private const nuint FICLONE = 0x40049409;
    private const int EBADF = 9;
    private const int ENXIO = 6;
    private const int SEEK_END = 2;
    private const int SEEK_DATA = 3;
    private const int SEEK_HOLE = 4;
    private const int CopyChunk = 1 << 20;

    /// <summary>
    /// Makes <paramref name="target"/>, an empty file, share all blocks of <paramref name="source"/>. False when this file system or
    /// this pair of files cannot.
    /// </summary>
    /// <exception cref="LinuxException">Any other failure, such as a full disk.</exception>
    public static bool TryClone(SafeFileHandle source, SafeFileHandle target)
    {
        if (FileCalls.Ioctl(target, FICLONE, source.DangerousGetHandle()) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() is EBADF or Errno.EINVAL or Errno.EOPNOTSUPP or Errno.EXDEV or Errno.ENOTTY
            ? false
            : throw LinuxException.FromLastError("ioctl(FICLONE)");
    }

    /// <summary>
    /// Copies all data of a file or block device into <paramref name="target"/>, an empty file, and leaves holes where the source has them; a
    /// device has none, so where it is all zeros.
    /// </summary>
    public static void CopySparse(SafeFileHandle source, SafeFileHandle target, CancellationToken cancellationToken = default)
    {
        // What the kernel says of a device's file has no length.
        long length = Seek(source, 0, SEEK_END);
        SetLength(target, length);
        bool hasHoles = HasHoles(source);
        byte[] buffer = new byte[CopyChunk];
        long at = 0;
        while (at < length && (hasHoles ? NextData(source, at) : at) is { } data)
        {
            long end = hasHoles ? Seek(source, data, SEEK_HOLE) : length;
            for (at = data; at < end;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int count = RandomAccess.Read(source, buffer.AsSpan(0, (int)Math.Min(CopyChunk, end - at)), at);
                if (count == 0)
                {
                    return;
                }

                if (hasHoles || buffer.AsSpan(0, count).ContainsAnyExcept((byte)0))
                {
                    RandomAccess.Write(target, buffer.AsSpan(0, count), at);
                }

                at += count;
            }
        }
    }

    public static void SetLength(SafeFileHandle file, long length)
    {
        if (DirectoryCalls.Ftruncate(file, length) != 0)
        {
            throw LinuxException.FromLastError("ftruncate");
        }
    }

    /// <summary>Makes content and size durable.</summary>
    public static void Sync(SafeFileHandle file)
    {
        if (FileCalls.Fsync(file) != 0)
        {
            throw LinuxException.FromLastError("fsync");
        }
    }

    /// <summary>
    /// Makes content durable, and of the file's description only what is needed to read it: where a file is overwritten in place, that is one
    /// write to the disk instead of a transaction of the file system.
    /// </summary>
    public static void SyncData(SafeFileHandle file)
    {
        if (FileCalls.Fdatasync(file) != 0)
        {
            throw LinuxException.FromLastError("fdatasync");
        }
    }

    /// <summary>Sets access and modification time, in nanoseconds since 1970.</summary>
    public static unsafe void SetModified(SafeFileHandle file, long nanoseconds)
    {
        (long seconds, long rest) = Math.DivRem(nanoseconds, 1_000_000_000);
        long* times = stackalloc long[] { seconds, rest, seconds, rest };
        if (DirectoryCalls.Futimens(file, times) != 0)
        {
            throw LinuxException.FromLastError("futimens");
        }
    }

    private static bool HasHoles(SafeFileHandle file) =>
        DirectoryCalls.Seek(file, 0, SEEK_DATA) >= 0 || Marshal.GetLastPInvokeError() != Errno.EINVAL;

    /// <summary>Offset of the first data at or after <paramref name="offset"/>; null when only a hole follows.</summary>
    private static long? NextData(SafeFileHandle file, long offset)
    {
        long found = DirectoryCalls.Seek(file, offset, SEEK_DATA);
        if (found >= 0)
        {
            return found;
        }

        return Marshal.GetLastPInvokeError() == ENXIO ? null : throw LinuxException.FromLastError("lseek");
    }

    private static long Seek(SafeFileHandle file, long offset, int whence)
    {
        long found = DirectoryCalls.Seek(file, offset, whence);
        return found >= 0 ? found : throw LinuxException.FromLastError("lseek");
    }
}
