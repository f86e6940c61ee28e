namespace Qubes.Lifecycle.DomainXml;

/// <summary>libvirt's <c>type</c> of a domain.</summary>
public enum DomainKind
{
    /// <summary>Hardware virtualisation.</summary>
    Kvm,

    /// <summary>QEMU emulates the processor.</summary>
    Emulated,

    /// <summary>libvirt's test driver: a domain in name only, without devices.</summary>
    Test,
}
