using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Tests;

public sealed class RunningTests : IAsyncLifetime
{
    private LifecycleFixture _fixture = null!;

    private AppVM Work => _fixture.Work;

    public async ValueTask InitializeAsync()
    {
        _fixture = await LifecycleFixture.StartAsync();
        await _fixture.StartAsync(Work);
        _fixture.Events.Clear();
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_pause_that_is_told_after_the_qube_goes_on_does_not_stay()
    {
        TaskCompletionSource late = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _fixture.Hypervisor.EventGate = late.Task;
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.PauseAsync(Work));
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.UnpauseAsync(Work));
        Task told = _fixture.Events.NextAsync(Work.Name, "domain-paused");
        late.SetResult();
        await told;
        using CancellationTokenSource deadline = new(LifecycleFixture.Patience);
        while (await _fixture.StateAsync(Work) != PowerState.Running)
        {
            await Task.Delay(10, deadline.Token);
        }
    }

    [Fact]
    public async Task A_pause_before_the_processors_run_does_not_outlast_the_start()
    {
        await _fixture.KillAsync(Work);
        _fixture.Hypervisor.Before["resume"] = () =>
        {
            Work.Runtime.State = PowerState.Paused;
            return Task.CompletedTask;
        };
        await _fixture.StartAsync(Work);
        Assert.Equal(PowerState.Running, await _fixture.StateAsync(Work));
    }

    [Fact]
    public async Task What_is_told_late_of_the_run_before_is_not_taken_for_this_one()
    {
        TaskCompletionSource late = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _fixture.Hypervisor.EventGate = late.Task;
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.PauseAsync(Work));
        await _fixture.KillAsync(Work);
        await _fixture.StartAsync(Work);
        _fixture.Events.Clear();
        late.SetResult();
        Task told = _fixture.Events.NextAsync(Work.Name, "domain-paused");
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.PauseAsync(Work));
        await told;
        Assert.Single(_fixture.Events.Of(Work.Name), "domain-paused");
    }

    [Fact]
    public async Task Pause_and_unpause_are_told_once_each()
    {
        Task paused = _fixture.Events.NextAsync(Work.Name, "domain-paused");
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.PauseAsync(Work));
        Assert.Equal(PowerState.Paused, await _fixture.StateAsync(Work));
        await paused;
        // A second time there is nothing to do.
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.PauseAsync(Work));
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.UnpauseAsync(Work));
        Assert.Equal(PowerState.Running, await _fixture.StateAsync(Work));
        await _fixture.KillAsync(Work);
        Assert.Equal(["domain-pre-paused", "domain-paused", "domain-pre-unpaused", "domain-unpaused"], _fixture.Events.Of(Work.Name).Take(4));
        Assert.Equal("domain-stopped", _fixture.Events.Of(Work.Name)[4]);
    }

    [Fact]
    public async Task Pausing_from_outside_is_seen()
    {
        Task paused = _fixture.Events.NextAsync(Work.Name, "domain-paused");
        await _fixture.Hypervisor.SuspendAsync(Hypervisors.DomainKey.Of(Work));
        await paused;
        Assert.Equal(PowerState.Paused, await _fixture.StateAsync(Work));
        Task unpaused = _fixture.Events.NextAsync(Work.Name, "domain-unpaused");
        await _fixture.Hypervisor.ResumeAsync(Hypervisors.DomainKey.Of(Work));
        await unpaused;
        Assert.Equal(PowerState.Running, await _fixture.StateAsync(Work));
    }

    [Fact]
    public async Task A_qube_that_stops_by_itself_is_stopped_for_everybody()
    {
        Task shutdown = _fixture.Events.NextAsync(Work.Name, "domain-shutdown");
        await _fixture.Hypervisor.DestroyAsync(Hypervisors.DomainKey.Of(Work));
        await shutdown;
        Assert.Equal(PowerState.Halted, await _fixture.StateAsync(Work));
        await _fixture.StartAsync(Work);
    }

    [Fact]
    public async Task Shutdown_with_wait_returns_when_the_stop_is_handled()
    {
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.ShutdownAsync(Work, force: false, wait: true));
        Assert.Equal(PowerState.Halted, await _fixture.StateAsync(Work));
        Assert.Equal(["domain-pre-shutdown", "domain-stopped"], _fixture.Events.Of(Work.Name).Take(2));
        Assert.Equal("domain-shutdown", _fixture.Events.Of(Work.Name)[^1]);
    }

    [Fact]
    public async Task A_shutdown_asked_of_a_qube_that_has_just_ended_is_done()
    {
        _fixture.Hypervisor.Before["shutdown"] = () => _fixture.Hypervisor.DestroyAsync(Hypervisors.DomainKey.Of(Work));
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.ShutdownAsync(Work, force: false, wait: true));
        Assert.Equal(PowerState.Halted, await _fixture.StateAsync(Work));
        Assert.DoesNotContain("domain-shutdown-failed", _fixture.Events.Of(Work.Name));
    }

    [Fact]
    public async Task A_shutdown_that_takes_too_long_times_out_and_later_calls_still_work()
    {
        TaskCompletionSource release = new();
        await _fixture.OnLoopAsync(() =>
        {
            QubesVMProperties.ShutdownTimeout.SetInput(Work, 1);
            return _fixture.App.Events.OnAwaited(EmitterClass.AppVM, "domain-shutdown", _ => release.Task);
        });
        QubesException late = await Assert.ThrowsAsync<QubesException>(() =>
            _fixture.OnLoopAsync(() => _fixture.Lifecycle.ShutdownAsync(Work, force: false, wait: true)));
        Assert.Equal(QubesErrorNames.VMShutdownTimeout, late.WireName);
        Assert.Contains("domain-shutdown-failed", _fixture.Events.Of(Work.Name));
        release.SetResult();
        await _fixture.StartAsync(Work);
        await _fixture.KillAsync(Work);
    }

    [Fact]
    public async Task A_vetoed_shutdown_leaves_the_qube_running()
    {
        await _fixture.OnLoopAsync(() => _fixture.App.Events.On(EmitterClass.AppVM, "domain-pre-shutdown", _ => throw QubesErrors.VMInUse(Work.Name)));
        QubesException refused = await Assert.ThrowsAsync<QubesException>(() =>
            _fixture.OnLoopAsync(() => _fixture.Lifecycle.ShutdownAsync(Work, force: false, wait: true)));
        Assert.Equal(QubesErrorNames.VMInUse, refused.WireName);
        Assert.Equal(["domain-pre-shutdown", "domain-shutdown-failed"], _fixture.Events.Of(Work.Name));
        Assert.Equal(PowerState.Running, await _fixture.StateAsync(Work));
    }

    [Fact]
    public async Task A_paused_qube_is_shut_down_only_by_force()
    {
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.PauseAsync(Work));
        QubesException refused = await Assert.ThrowsAsync<QubesException>(() =>
            _fixture.OnLoopAsync(() => _fixture.Lifecycle.ShutdownAsync(Work, force: false, wait: false)));
        Assert.Equal(QubesErrorNames.VMNotRunning, refused.WireName);
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.ShutdownAsync(Work, force: true, wait: true));
        Assert.Equal(PowerState.Halted, await _fixture.StateAsync(Work));
    }

    [Fact]
    public async Task A_network_qube_in_use_is_shut_down_only_by_force()
    {
        await _fixture.OnLoopAsync(async () =>
        {
            QubesVM net = await _fixture.CreateAsync(QubeClasses.AppVM, "net", _fixture.Template);
            Model.Network.NetworkProperties.ProvidesNetwork.SetInput(net, true);
            await _fixture.Lifecycle.StartAsync(net);
            Model.Network.NetworkProperties.NetVM.SetInput(Work, net);
            QubesException refused = await Assert.ThrowsAsync<QubesException>(() => _fixture.Lifecycle.ShutdownAsync(net, force: false, wait: true));
            Assert.Equal("There are other VMs connected to this VM: " + Work.Name, refused.Message);
            await _fixture.Lifecycle.ShutdownAsync(net, force: true, wait: true);
            Assert.True(net.IsHalted);
        });
    }

    [Fact]
    public async Task What_does_not_run_cannot_be_killed_paused_or_shut_down()
    {
        await _fixture.KillAsync(Work);
        Func<Task>[] calls =
        [
            () => _fixture.Lifecycle.KillAsync(Work), () => _fixture.Lifecycle.PauseAsync(Work),
            () => _fixture.Lifecycle.UnpauseAsync(Work), () => _fixture.Lifecycle.ShutdownAsync(Work, force: false, wait: false),
        ];
        foreach (Func<Task> call in calls)
        {
            QubesException refused = await Assert.ThrowsAsync<QubesException>(() => _fixture.OnLoopAsync(call));
            Assert.True(refused.Is(QubesErrorNames.VMNotStarted));
        }
    }

    [Fact]
    public async Task A_failing_handler_of_the_stop_fails_the_kill_but_not_the_stop()
    {
        EventHandlerRegistration handler = await _fixture.OnLoopAsync(() =>
            _fixture.App.Events.On(EmitterClass.AppVM, "domain-shutdown", _ => throw QubesErrors.VM("handler")));
        QubesException failed = await Assert.ThrowsAsync<QubesException>(() => _fixture.KillAsync(Work));
        Assert.Equal("handler", failed.Message);
        await _fixture.OnLoopAsync(handler.Dispose);
        Assert.Equal(PowerState.Halted, await _fixture.StateAsync(Work));
        await _fixture.StartAsync(Work);
    }

    [Fact]
    public async Task A_restarted_daemon_finds_the_running_qube_without_any_event()
    {
        int xid = await _fixture.OnLoopAsync(() => Work.Runtime.Xid);
        await _fixture.RestartAsync();
        Assert.Equal(PowerState.Running, await _fixture.StateAsync(Work));
        Assert.Equal(xid, await _fixture.OnLoopAsync(() => Work.Runtime.Xid));
        Assert.DoesNotContain("domain-start", _fixture.Events.Of(Work.Name));
        await _fixture.KillAsync(Work);
        Assert.Contains("domain-shutdown", _fixture.Events.Of(Work.Name));
    }

    [Fact]
    public async Task A_domain_started_past_the_daemon_is_ended()
    {
        await _fixture.KillAsync(Work);
        await _fixture.Hypervisor.LaunchAsync(new DomainXml.DomainSpec
        {
            Kind = DomainXml.DomainKind.Test, Name = Work.Name, Uuid = Work.Uuid.Value, MemoryMiB = 64, VCpus = 1,
        });
        // The daemon is told of the start and ends it; its own start afterwards works.
        while ((await _fixture.Hypervisor.GetAllAsync()).Any(sample => sample.Uuid == Work.Uuid.Value && sample.IsActive))
        {
            await _fixture.OnLoopAsync(async () => await Task.Yield());
        }

        Assert.Equal(PowerState.Halted, await _fixture.StateAsync(Work));
        await _fixture.StartAsync(Work);
    }
}
