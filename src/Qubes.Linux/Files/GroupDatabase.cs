using System.Runtime.InteropServices;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>Look-ups in the system's group database.</summary>
public static unsafe class GroupDatabase
{
    private const int ERANGE = 34;
    private const int LargestEntry = 1 << 20;

    /// <summary>The id of the group called <paramref name="name"/>, or null when there is none.</summary>
    public static uint? FindId(string name) => Find<uint?>(name, static group => group->Id);

    /// <summary>As <see cref="FindId"/>, of a group that this process may give files to; null as well when it is neither root nor in it.</summary>
    public static uint? FindOwnId(string name) =>
        FindId(name) is { } id && (UserAccount.IsRoot || GroupCalls.GetEffectiveGroupId() == id || IsMember(id)) ? id : null;

    /// <summary>The name of the group's first member; null when there is no such group, or nobody in it.</summary>
    public static string? FindFirstMember(string name) => Find(name, static group => Marshal.PtrToStringUTF8((nint)(*group->Members)));

    private static bool IsMember(uint id)
    {
        var count = GroupCalls.GetGroups(0, null);
        if (count <= 0)
            return false;
        var groups = new uint[count];
        fixed (uint* first = groups)
        {
            return GroupCalls.GetGroups(count, first) >= 0 && groups.Contains(id);
        }
    }

    private delegate T Reading<T>(GroupCalls.Group* group);

    // What is read lies in the buffer, so it is read before that goes.
    private static T? Find<T>(string name, Reading<T?> read)
    {
        for (var size = 4096; size <= LargestEntry; size *= 4)
        {
            var buffer = new byte[size];
            GroupCalls.Group group;
            GroupCalls.Group* found = null;
            fixed (byte* bytes = buffer)
            {
                int error = GroupCalls.GetByName(name, &group, bytes, (nuint)size, &found);
                if (error == ERANGE)
                    continue;
                return error == 0 && found != null ? read(found) : default;
            }
        }

        return default;
    }
}
