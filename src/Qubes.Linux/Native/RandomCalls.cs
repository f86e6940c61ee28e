using System.Runtime.InteropServices;

namespace Qubes.Linux.Native;

internal static unsafe partial class RandomCalls
{
    [LibraryImport("libc", EntryPoint = "getrandom", SetLastError = true)]
    internal static partial nint GetRandom(byte* buffer, nuint length, uint flags);
}
