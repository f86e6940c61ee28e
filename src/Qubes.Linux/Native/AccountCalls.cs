using System.Runtime.InteropServices;

namespace Qubes.Linux.Native;

/// <summary>libc: the account database.</summary>
internal static unsafe partial class AccountCalls
{
    /// <summary><c>struct passwd</c> of glibc.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Account
    {
        public byte* Name;
        public byte* Password;
        public uint UserId;
        public uint GroupId;
        public byte* Comment;
        public byte* Home;
        public byte* Shell;
    }

    [LibraryImport("libc", EntryPoint = "getpwnam_r", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GetByName(string name, Account* account, byte* buffer, nuint size, Account** result);

    /// <summary>-1 when the groups do not fit; their number is in <paramref name="count"/> then.</summary>
    [LibraryImport("libc", EntryPoint = "getgrouplist", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GetGroups(string user, uint primary, uint* groups, int* count);
}
