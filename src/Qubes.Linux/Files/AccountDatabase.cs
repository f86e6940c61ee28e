using System.Runtime.InteropServices;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>Look-ups in the system's account database, with whatever services of names the host has.</summary>
public static unsafe class AccountDatabase
{
    private const int ERANGE = 34;
    private const int LargestEntry = 1 << 20;
    private const int MostGroups = 1 << 16;

    /// <summary>The account called <paramref name="name"/> with all its groups, or null when there is none.</summary>
    public static UserAccount? Find(string name)
    {
        for (var size = 4096; size <= LargestEntry; size *= 4)
        {
            var buffer = new byte[size];
            AccountCalls.Account account;
            AccountCalls.Account* found = null;
            fixed (byte* bytes = buffer)
            {
                var error = AccountCalls.GetByName(name, &account, bytes, (nuint)size, &found);
                if (error == ERANGE)
                    continue;
                return error == 0 && found != null
                    ? new UserAccount(name, found->UserId, found->GroupId, Text(found->Home), Text(found->Shell), GroupsOf(name, found->GroupId))
                    : null;
            }
        }

        return null;
    }

    private static uint[] GroupsOf(string user, uint primary)
    {
        for (var room = 64; room <= MostGroups; room *= 4)
        {
            var groups = new uint[room];
            var count = room;
            fixed (uint* first = groups)
            {
                if (AccountCalls.GetGroups(user, primary, first, &count) >= 0)
                    return groups[..count];
            }
        }

        return [primary];
    }

    private static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";
}
