using System.Runtime.InteropServices;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>Random bytes from the kernel. The runtime's own generator loads OpenSSL, which a small guest does not have.</summary>
public static class KernelRandom
{
    private const int LongestText = 256;

    public static unsafe void Fill(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            nint count;
            fixed (byte* buffer = bytes)
                count = RandomCalls.GetRandom(buffer, (nuint)bytes.Length, flags: 0);
            if (count >= 0)
                bytes = bytes[(int)count..];
            else if (Marshal.GetLastPInvokeError() != Errno.EINTR)
                throw LinuxException.FromLastError("getrandom");
        }
    }

    /// <summary>Lower-case hexadecimal digits, as a name nobody else comes upon.</summary>
    /// <param name="length">Number of digits; even, at most 256.</param>
    public static string HexString(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, LongestText);
        Span<byte> bytes = stackalloc byte[length / 2];
        Fill(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
