using Microsoft.Win32.SafeHandles;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>The exclusive lock on a directory that programs take with <c>flock</c> which change the files in it.</summary>
public static class DirectoryLock
{
    private const int LOCK_EX = 2;

    /// <summary>Waits until nobody else holds the lock, and takes it. It ends when the handle is closed.</summary>
    /// <exception cref="LinuxException">There is no such directory, or it may not be read.</exception>
    public static SafeFileHandle Take(string directory)
    {
        SafeFileHandle handle = FileCalls.Open(directory, FileCalls.O_RDONLY | FileCalls.O_DIRECTORY | FileCalls.O_CLOEXEC, 0);
        if (handle.IsInvalid)
        {
            throw LinuxException.FromLastError("open", directory);
        }

        while (FileCalls.Flock(handle, LOCK_EX) != 0)
        {
            if (System.Runtime.InteropServices.Marshal.GetLastPInvokeError() != Errno.EINTR)
            {
                LinuxException error = LinuxException.FromLastError("flock", directory);
                handle.Dispose();
                throw error;
            }
        }

        return handle;
    }
}
