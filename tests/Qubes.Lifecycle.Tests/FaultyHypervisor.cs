using System.Threading.Channels;
using Qubes.Libvirt;
using Qubes.Lifecycle.DomainXml;
using Qubes.Lifecycle.Hypervisors;

namespace Qubes.Lifecycle.Tests;

/// <summary>The real hypervisor with calls that can be made to fail or to wait.</summary>
internal sealed class FaultyHypervisor(IHypervisor real) : IHypervisor
{
    private readonly Channel<HypervisorEvent> _events = Channel.CreateUnbounded<HypervisorEvent>();
    private Task? _passing;

    /// <summary>What the next events wait for.</summary>
    public Task EventGate { get; set; } = Task.CompletedTask;

    /// <summary>By the call's name: what happens before the real call.</summary>
    public Dictionary<string, Func<Task>> Before { get; } = [];

    public List<string> Calls { get; } = [];

    /// <summary>Guests can suspend themselves; those of the test driver cannot.</summary>
    public bool GuestsSleep { get; set; }

    public HypervisorKind Kind => real.Kind;

    public ChannelReader<HypervisorEvent> Events
    {
        get
        {
            _passing ??= PassEventsAsync();
            return _events.Reader;
        }
    }

    public IReadOnlyList<HungCall> HungCalls => real.HungCalls;

    public async Task<int> LaunchAsync(DomainSpec spec)
    {
        await EnterAsync("launch");
        return await real.LaunchAsync(spec);
    }

    public async Task ResumeAsync(DomainKey domain)
    {
        await EnterAsync("resume");
        await real.ResumeAsync(domain);
    }

    public async Task SuspendAsync(DomainKey domain)
    {
        await EnterAsync("suspend");
        await real.SuspendAsync(domain);
    }

    public async Task SleepAsync(DomainKey domain)
    {
        await EnterAsync("sleep");
        if (!GuestsSleep)
        {
            await real.SleepAsync(domain);
        }
    }

    public async Task WakeAsync(DomainKey domain)
    {
        await EnterAsync("wake");
        if (!GuestsSleep)
        {
            await real.WakeAsync(domain);
        }
    }

    public async Task ResizeDiskAsync(DomainKey domain, string path, long size)
    {
        await EnterAsync("resize disk");
        await real.ResizeDiskAsync(domain, path, size);
    }

    public Task<string> DescribeAsync(DomainKey domain) => real.DescribeAsync(domain);

    public async Task<bool> RequestShutdownAsync(DomainKey domain)
    {
        await EnterAsync("shutdown");
        return await real.RequestShutdownAsync(domain);
    }

    public async Task<bool> DestroyAsync(DomainKey domain)
    {
        await EnterAsync("destroy");
        return await real.DestroyAsync(domain);
    }

    public async Task ForgetAsync(DomainKey domain)
    {
        await EnterAsync("forget");
        await real.ForgetAsync(domain);
    }

    public async Task AttachDiskAsync(DomainKey domain, DomainDisk disk)
    {
        await EnterAsync("attach");
        await real.AttachDiskAsync(domain, disk);
    }

    public async Task<bool> DetachDiskAsync(DomainKey domain, DomainDisk disk)
    {
        await EnterAsync("detach");
        return await real.DetachDiskAsync(domain, disk);
    }

    public Task<IReadOnlyList<DomainDisk>> GetDisksAsync(DomainKey domain) => real.GetDisksAsync(domain);

    public Task<IReadOnlyList<DomainSample>> GetAllAsync() => real.GetAllAsync();

    private async Task PassEventsAsync()
    {
        await foreach (HypervisorEvent told in real.Events.ReadAllAsync())
        {
            await EventGate;
            _events.Writer.TryWrite(told);
        }

        _events.Writer.Complete();
    }

    private async Task EnterAsync(string call)
    {
        Calls.Add(call);
        if (Before.TryGetValue(call, out Func<Task>? before))
        {
            await before();
        }
    }
}
