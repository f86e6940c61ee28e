using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>Look-ups in the system's group database.</summary>
public static unsafe class GroupDatabase
{
    private const int ERANGE = 34;
    private const int LargestEntry = 1 << 20;

    /// <summary>The id of the group called <paramref name="name"/>, or null when there is none.</summary>
    public static uint? FindId(string name)
    {
        for (var size = 4096; size <= LargestEntry; size *= 4)
        {
            var buffer = new byte[size];
            GroupCalls.Group group;
            GroupCalls.Group* found = null;
            int error;
            fixed (byte* bytes = buffer)
                error = GroupCalls.GetByName(name, &group, bytes, (nuint)size, &found);
            if (error == ERANGE)
                continue;
            return error == 0 && found != null ? group.Id : null;
        }

        return null;
    }
}
