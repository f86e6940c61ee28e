using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// The exclusive lock on a whole file that keeps out every program which takes a POSIX record lock on it (<c>fcntl</c>, <c>lockf</c>), and every
/// other open of the file. Unlike a POSIX lock it belongs to the open file and its duplicates: closing another descriptor of the same file
/// does not lose it.
/// </summary>
public static class FileLock
{
    /// <summary>Takes the lock if nobody else holds one. It ends when the last duplicate of <paramref name="file"/> is closed.</summary>
    /// <param name="file">Open for writing.</param>
    /// <exception cref="LinuxException">Anything but that it is taken.</exception>
    public static unsafe bool TryTake(SafeFileHandle file)
    {
        byte* request = stackalloc byte[FlockSize];
        Fill(request);
        if (FileCalls.Fcntl(file, FileCalls.F_OFD_SETLK, request) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() is Errno.EAGAIN or Errno.EACCES ? false : throw LinuxException.FromLastError("fcntl(F_OFD_SETLK)");
    }

    /// <summary>Who is in the way: a process id, -1 for a holder the kernel does not name, null for nobody.</summary>
    public static unsafe int? FindHolder(SafeFileHandle file)
    {
        byte* request = stackalloc byte[FlockSize];
        Fill(request);
        if (FileCalls.Fcntl(file, FileCalls.F_OFD_GETLK, request) != 0)
        {
            throw LinuxException.FromLastError("fcntl(F_OFD_GETLK)");
        }

        return *(short*)request == FileCalls.F_UNLCK ? null : *(int*)(request + 24);
    }

    /// <summary>Another descriptor of the same open file, which keeps its lock.</summary>
    public static SafeFileHandle Duplicate(SafeFileHandle file)
    {
        int duplicate = FileCalls.Fcntl(file, FileCalls.F_DUPFD_CLOEXEC, 0);
        return duplicate >= 0 ? new SafeFileHandle(duplicate, ownsHandle: true) : throw LinuxException.FromLastError("fcntl(F_DUPFD_CLOEXEC)");
    }

    // struct flock on 64-bit Linux: type i16 @0, whence i16 @2, start i64 @8, len i64 @16 (0: to the end), pid i32 @24 (0 in requests)
    private const int FlockSize = 32;

    private static unsafe void Fill(byte* request)
    {
        new Span<byte>(request, FlockSize).Clear();
        *(short*)request = FileCalls.F_WRLCK;
    }
}
