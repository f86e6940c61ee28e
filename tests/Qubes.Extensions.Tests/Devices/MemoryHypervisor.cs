using System.Threading.Channels;
using Qubes.Libvirt;
using Qubes.Lifecycle.DomainXml;
using Qubes.Lifecycle.Hypervisors;

namespace Qubes.Extensions.Tests.Devices;

/// <summary>Keeps the disks of domains in memory; nothing runs.</summary>
internal sealed class MemoryHypervisor : IHypervisor
{
    private readonly Channel<HypervisorEvent> _events = Channel.CreateUnbounded<HypervisorEvent>();

    public Dictionary<string, List<DomainDisk>> Disks { get; } = new(StringComparer.Ordinal);

    /// <summary>Waited for before a disk is plugged.</summary>
    public Task Ready { get; set; } = Task.CompletedTask;

    /// <summary>The guest keeps its disks.</summary>
    public bool GuestHoldsOn { get; set; }

    public HypervisorKind Kind => HypervisorKind.Qemu;

    public ChannelReader<HypervisorEvent> Events => _events.Reader;

    public IReadOnlyList<HungCall> HungCalls => [];

    public Task<int> LaunchAsync(DomainSpec spec) => Task.FromResult(1);

    public Task ResumeAsync(DomainKey domain) => Task.CompletedTask;

    public Task SuspendAsync(DomainKey domain) => Task.CompletedTask;

    public Task SleepAsync(DomainKey domain) => Task.CompletedTask;

    public Task WakeAsync(DomainKey domain) => Task.CompletedTask;

    public Task ResizeDiskAsync(DomainKey domain, string path, long size) => Task.CompletedTask;

    public Task<string> DescribeAsync(DomainKey domain) => Task.FromResult("");

    public Task<bool> RequestShutdownAsync(DomainKey domain) => Task.FromResult(true);

    public Task<bool> DestroyAsync(DomainKey domain) => Task.FromResult(true);

    public Task ForgetAsync(DomainKey domain) => Task.CompletedTask;

    public async Task AttachDiskAsync(DomainKey domain, DomainDisk disk)
    {
        await Ready;
        if (disk.Path == "/dev/broken")
        {
            throw new LibvirtException("virDomainAttachDeviceFlags", LibvirtError.Internal, "it is broken");
        }

        DisksOf(domain).Add(disk);
    }

    public Task<bool> DetachDiskAsync(DomainKey domain, DomainDisk disk) =>
        Task.FromResult(!GuestHoldsOn && DisksOf(domain).Remove(disk));

    public Task<IReadOnlyList<DomainDisk>> GetDisksAsync(DomainKey domain) => Task.FromResult<IReadOnlyList<DomainDisk>>([.. DisksOf(domain)]);

    public Task<IReadOnlyList<DomainSample>> GetAllAsync() => Task.FromResult<IReadOnlyList<DomainSample>>([]);

    private List<DomainDisk> DisksOf(DomainKey domain)
    {
        if (!Disks.TryGetValue(domain.Name, out List<DomainDisk>? disks))
        {
            Disks[domain.Name] = disks = [];
        }

        return disks;
    }
}
