using Microsoft.Win32.SafeHandles;

namespace Qubes.Libvirt.Native;

/// <summary>A <c>virDomainPtr</c>: one reference to a domain, which itself holds its connection.</summary>
internal sealed class DomainHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public DomainHandle()
        : base(ownsHandle: true)
    {
    }

    public DomainHandle(nint domain)
        : base(ownsHandle: true) => SetHandle(domain);

    protected override bool ReleaseHandle() => DomainCalls.Free(handle) == 0;
}
