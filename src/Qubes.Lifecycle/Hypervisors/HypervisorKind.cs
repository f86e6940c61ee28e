namespace Qubes.Lifecycle.Hypervisors;

/// <summary>What runs the qubes.</summary>
public enum HypervisorKind
{
    Qemu,

    /// <summary>libvirt's test driver: states and events, but nothing runs. No qrexec, no disks, no console.</summary>
    Test,
}
