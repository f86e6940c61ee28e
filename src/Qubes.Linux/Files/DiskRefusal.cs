using System.Runtime.InteropServices;

namespace Qubes.Linux;

/// <summary>Tells failures of a disk, which the administrator can do something about, from defects of a program.</summary>
public static class DiskRefusal
{
    /// <summary>What the disk answered, in the system's words and without any path; null if the exception is of another kind.</summary>
    public static string? ReasonOf(Exception exception)
    {
        int errno = exception switch
        {
            LinuxException known => known.Errno,
            IOException other => other.HResult,
            _ => 0,
        };
        return errno is Errno.EROFS or Errno.ENOSPC or Errno.EDQUOT or Errno.EIO ? Marshal.GetPInvokeErrorMessage(errno) : null;
    }
}
