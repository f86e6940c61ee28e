using Microsoft.Win32.SafeHandles;

namespace Qubes.Libvirt.Native;

/// <summary>A <c>virConnectPtr</c>: one reference to a connection.</summary>
internal sealed class ConnectionHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public ConnectionHandle()
        : base(ownsHandle: true)
    {
    }

    protected override bool ReleaseHandle() => ConnectionCalls.Close(handle) >= 0;
}
