using Microsoft.Win32.SafeHandles;

namespace Qubes.Linux.Native;

/// <summary>A pidfd: names one process for good, whatever its number is used for later.</summary>
internal sealed class PidHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public PidHandle()
        : base(ownsHandle: true)
    {
    }

    protected override bool ReleaseHandle() => FileCalls.Close((int)handle) == 0;
}
