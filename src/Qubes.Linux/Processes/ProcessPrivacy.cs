using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>Keeps this process from others of the same user.</summary>
public static class ProcessPrivacy
{
    /// <summary>
    /// Its memory can be read, and its course changed, by root alone, and it leaves no image of itself. One daemon that a guest has taken over cannot
    /// go on to those of other guests, which run as the same user. Programs it starts are not concerned.
    /// </summary>
    public static void Seal()
    {
        if (ProcessCalls.Prctl(ProcessCalls.PR_SET_DUMPABLE, 0) != 0)
            throw LinuxException.FromLastError("prctl");
    }
}
