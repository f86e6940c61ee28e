using System.Runtime.InteropServices;

namespace Qubes.Linux.Native;

/// <summary>libc: the group database.</summary>
internal static unsafe partial class GroupCalls
{
    /// <summary><c>struct group</c> of glibc.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Group
    {
        public byte* Name;
        public byte* Password;
        public uint Id;
        public byte** Members;
    }

    [LibraryImport("libc", EntryPoint = "getgrnam_r", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GetByName(string name, Group* group, byte* buffer, nuint size, Group** result);

    [LibraryImport("libc", EntryPoint = "getgroups", SetLastError = true)]
    internal static partial int GetGroups(int count, uint* groups);

    [LibraryImport("libc", EntryPoint = "getegid")]
    internal static partial uint GetEffectiveGroupId();
}
