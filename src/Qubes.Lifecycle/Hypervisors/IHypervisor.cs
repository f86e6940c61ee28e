using System.Threading.Channels;
using Qubes.Lifecycle.DomainXml;
using Qubes.Libvirt;

namespace Qubes.Lifecycle.Hypervisors;

/// <summary>
/// What the lifecycle asks of a hypervisor. Calls of one qube are made one at a time on its lane, each with a deadline; none
/// blocks the caller. Failures are <see cref="LibvirtException"/> and <see cref="LaneTimeoutException"/>.
/// </summary>
public interface IHypervisor
{
    HypervisorKind Kind { get; }

    /// <summary>Events in order; one reader.</summary>
    ChannelReader<HypervisorEvent> Events { get; }

    /// <summary>Who hangs, since when, in which call.</summary>
    IReadOnlyList<HungCall> HungCalls { get; }

    /// <summary>Stores the description and starts the domain with its processors stopped. Events: Started, Suspended.</summary>
    /// <returns>The hypervisor's number for the running domain.</returns>
    Task<int> LaunchAsync(DomainSpec spec);

    Task ResumeAsync(DomainKey domain);

    Task SuspendAsync(DomainKey domain);

    /// <summary>Lets the guest suspend to its memory. Event: Suspending.</summary>
    Task SleepAsync(DomainKey domain);

    /// <summary>Wakes it up.</summary>
    Task WakeAsync(DomainKey domain);

    /// <summary>Shows the running guest a disk of another size.</summary>
    /// <param name="domain">Whose.</param>
    /// <param name="path">The disk's source.</param>
    /// <param name="size">Bytes.</param>
    Task ResizeDiskAsync(DomainKey domain, string path, long size);

    /// <summary>The domain's description as the hypervisor tells it.</summary>
    Task<string> DescribeAsync(DomainKey domain);

    /// <summary>Asks the guest to power off.</summary>
    /// <returns>False when it was not active.</returns>
    Task<bool> RequestShutdownAsync(DomainKey domain);

    /// <summary>Takes the power away, past whatever call of the qube hangs.</summary>
    /// <returns>False when it was not active.</returns>
    Task<bool> DestroyAsync(DomainKey domain);

    /// <summary>Removes the stored description. Unknown is fine.</summary>
    Task ForgetAsync(DomainKey domain);

    /// <summary>Plugs a disk into the running domain.</summary>
    Task AttachDiskAsync(DomainKey domain, DomainDisk disk);

    /// <summary>Takes a disk out of the running domain.</summary>
    /// <returns>False when the guest did not let go of it: the disk is still there.</returns>
    Task<bool> DetachDiskAsync(DomainKey domain, DomainDisk disk);

    /// <summary>The disks that the running domain has.</summary>
    Task<IReadOnlyList<DomainDisk>> GetDisksAsync(DomainKey domain);

    /// <summary>All domains as they are now.</summary>
    Task<IReadOnlyList<DomainSample>> GetAllAsync();
}
