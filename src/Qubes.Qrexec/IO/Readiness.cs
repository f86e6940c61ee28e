using Microsoft.Win32.SafeHandles;

namespace Qubes.Qrexec.IO;

/// <summary>How a daemon in the foreground tells whoever started it that it serves: a line on a descriptor given for that.</summary>
internal static class Readiness
{
    /// <summary>Writes <c>READY</c> and closes the descriptor, if there is one.</summary>
    public static void Tell(int? descriptor)
    {
        if (descriptor is not { } number)
        {
            return;
        }

        using SafeFileHandle handle = new(number, ownsHandle: true);
        using FileStream stream = new(handle, FileAccess.Write, bufferSize: 0);
        try
        {
            stream.Write("READY\n"u8);
        }
        catch (IOException)
        {
            // Whoever started us does not care any more.
        }
    }
}
