using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>The environment as C libraries in this process see it; the runtime's own copy is separate.</summary>
public static class NativeEnvironment
{
    /// <summary>Sets a variable for C libraries. Not thread-safe in the C library: call it at start, before they are used.</summary>
    public static void Set(string name, string value)
    {
        if (ProcessCalls.SetEnvironment(name, value, 1) != 0)
            throw LinuxException.FromLastError("setenv", name);
    }
}
