using Microsoft.Win32.SafeHandles;

namespace Qubes.Qrexec.IO;

/// <summary>Our own descriptor 2, for children that write where we do.</summary>
internal static class StandardError
{
    private const int Descriptor = 2;

    /// <summary>Never closed by us.</summary>
    public static SafeFileHandle Handle { get; } = new(Descriptor, ownsHandle: false);
}
