using System.Runtime.InteropServices;

namespace Qubes.Linux;

/// <summary>A system call failed. <see cref="Errno"/> is the Linux error number.</summary>
public sealed class LinuxException : IOException
{
    /// <param name="call">Name of the system call, e.g. <c>openat</c>.</param>
    /// <param name="errno">Linux error number.</param>
    /// <param name="subject">What the call was about: a path, a process id.</param>
    public LinuxException(string call, int errno, string? subject = null)
        : base(Describe(call, errno, subject))
    {
        Call = call;
        Errno = errno;
    }

    public string Call { get; }

    public int Errno { get; }

    /// <summary>The exception for the error number the last P/Invoke on this thread left behind.</summary>
    public static LinuxException FromLastError(string call, string? subject = null) =>
        new(call, Marshal.GetLastPInvokeError(), subject);

    private static string Describe(string call, int errno, string? subject)
    {
        var reason = Marshal.GetPInvokeErrorMessage(errno);
        return subject is null ? $"{call}: {reason}" : $"{call} '{subject}': {reason}";
    }
}
