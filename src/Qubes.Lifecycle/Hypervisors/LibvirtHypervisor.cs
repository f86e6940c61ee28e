using System.Threading.Channels;
using Qubes.Lifecycle.DomainXml;
using Qubes.Libvirt;

namespace Qubes.Lifecycle.Hypervisors;

/// <summary>QEMU/KVM and the test driver through libvirt.</summary>
public sealed class LibvirtHypervisor(LibvirtSession session) : IHypervisor
{
    /// <summary>Lane of calls that concern no single qube.</summary>
    private const string BulkLane = "*";

    // QEMU's start includes opening images and probing its capabilities the first time.
    private static readonly TimeSpan LaunchDeadline = TimeSpan.FromSeconds(60);

    // libvirt itself waits up to five seconds for the guest.
    private static readonly TimeSpan DetachDeadline = TimeSpan.FromSeconds(30);

    public HypervisorKind Kind { get; } = HypervisorUri.IsTest(session.Uri) ? HypervisorKind.Test : HypervisorKind.Qemu;

    public ChannelReader<HypervisorEvent> Events => session.Events;

    public IReadOnlyList<HungCall> HungCalls => session.Lanes.HungCalls;

    public Task<int> LaunchAsync(DomainSpec spec)
    {
        string xml = DomainXmlText.Render(spec);
        return session.Lanes.RunAsync(spec.Name, "start", connection =>
        {
            ForgetNamesake(connection, spec);
            using LibvirtDomain domain = connection.Define(xml);
            if (Kind == HypervisorKind.Test)
            {
                // This driver cannot start a domain paused.
                domain.Start(paused: false);
                domain.Suspend();
            }
            else
            {
                domain.Start(paused: true);
            }

            return domain.Id;
        }, LaunchDeadline);
    }

    public Task ResumeAsync(DomainKey domain) => OnDomainAsync(domain, "resume", static found => found.Resume());

    public Task SuspendAsync(DomainKey domain) => OnDomainAsync(domain, "suspend", static found => found.Suspend());

    public Task SleepAsync(DomainKey domain) => OnDomainAsync(domain, "sleep", static found => found.SuspendToMemory());

    public Task WakeAsync(DomainKey domain) => OnDomainAsync(domain, "wake up", static found => found.WakeUp());

    public Task ResizeDiskAsync(DomainKey domain, string path, long size) =>
        OnDomainAsync(domain, "resize disk", found => found.ResizeDisk(path, size));

    public Task<string> DescribeAsync(DomainKey domain) => OnDomainAsync(domain, "describe", static found => found.GetXml());

    public Task<bool> RequestShutdownAsync(DomainKey domain) => session.Lanes.RunAsync(domain.Name, "shutdown", connection =>
    {
        using LibvirtDomain? found = connection.Find(domain.Uuid);
        if (found is null)
            return false;
        try
        {
            found.RequestShutdown();
            return true;
        }
        catch (LibvirtException) when (IsEnding(found))
        {
            // It powered off by itself between the caller's look and ours, which is what was asked for.
            return IsActive(found);
        }
    });

    public Task<bool> DestroyAsync(DomainKey domain) => session.Lanes.RunUrgentAsync(domain.Name, "destroy", connection =>
    {
        using LibvirtDomain? found = connection.Find(domain.Uuid);
        if (found is null)
            return false;
        try
        {
            found.Destroy();
            return true;
        }
        catch (LibvirtException inactive) when (inactive.Error == LibvirtError.OperationInvalid && !IsActive(found))
        {
            // Either it was not running, or QEMU's end was noticed before the call could report its own success.
            return false;
        }
    });

    public Task ForgetAsync(DomainKey domain) => session.Lanes.RunAsync(domain.Name, "undefine", connection =>
    {
        using LibvirtDomain? found = connection.Find(domain.Uuid);
        found?.Undefine();
        return true;
    });

    public async Task AttachDiskAsync(DomainKey domain, DomainDisk disk)
    {
        string xml = DomainXmlText.RenderDisk(disk);
        if (Kind == HypervisorKind.Test)
        {
            return;
        }

        await OnDomainAsync(domain, "attach disk", found => found.AttachDevice(xml));
    }

    public async Task<bool> DetachDiskAsync(DomainKey domain, DomainDisk disk)
    {
        string xml = DomainXmlText.RenderDisk(disk);
        if (Kind == HypervisorKind.Test)
        {
            return true;
        }

        return await OnDomainAsync(domain, "detach disk", found =>
        {
            found.DetachDevice(xml);
            return DomainXmlText.ReadDisks(found.GetXml()).All(present => present.Target != disk.Target);
        }, DetachDeadline);
    }

    public async Task<IReadOnlyList<DomainDisk>> GetDisksAsync(DomainKey domain)
    {
        if (Kind == HypervisorKind.Test)
        {
            return [];
        }

        return await OnDomainAsync(domain, "read disks", static found => DomainXmlText.ReadDisks(found.GetXml()));
    }

    public Task<IReadOnlyList<DomainSample>> GetAllAsync() =>
        session.Lanes.RunAsync(BulkLane, "list all domains", static connection => connection.GetAllDomains());

    /// <summary>A definition that an earlier qube of the same name has left would stand in the way.</summary>
    private static void ForgetNamesake(LibvirtConnection connection, DomainSpec spec)
    {
        using LibvirtDomain? namesake = connection.Find(spec.Name);
        if (namesake is not null && namesake.Uuid != spec.Uuid && !IsActive(namesake))
            namesake.Undefine();
    }

    private static bool IsActive(LibvirtDomain domain) =>
        domain.GetState().State is not (DomainState.ShutOff or DomainState.None);

    private static bool IsEnding(LibvirtDomain domain) =>
        domain.GetState().State is DomainState.ShuttingDown or DomainState.ShutOff or DomainState.None;

    private Task<bool> OnDomainAsync(DomainKey key, string call, Action<LibvirtDomain> action) => OnDomainAsync(key, call, domain =>
    {
        action(domain);
        return true;
    });

    private Task<T> OnDomainAsync<T>(DomainKey key, string call, Func<LibvirtDomain, T> function, TimeSpan? deadline = null) =>
        session.Lanes.RunAsync(key.Name, call, connection =>
        {
            using LibvirtDomain domain = connection.Find(key.Uuid)
                ?? throw new LibvirtException("virDomainLookupByUUIDString", LibvirtError.NoDomain, $"no domain '{key.Name}'");
            return function(domain);
        }, deadline);
}
