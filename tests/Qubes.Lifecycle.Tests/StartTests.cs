using Qubes.Libvirt;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Tests;

public sealed class StartTests : IAsyncLifetime
{
    private static readonly string[] StartEvents =
    [
        "domain-pre-start", "domain-verify-files", "domain-pre-spawn", "property-reset:xid", "property-reset:stubdom_xid",
        "property-reset:start_time", "domain-spawn", "domain-qdb-create", "domain-pre-unpaused", "domain-unpaused", "domain-start",
    ];

    private static readonly string[] StopEvents =
        ["domain-stopped", "property-reset:xid", "property-reset:stubdom_xid", "property-reset:start_time", "domain-shutdown"];

    private LifecycleFixture _fixture = null!;

    public async ValueTask InitializeAsync() => _fixture = await LifecycleFixture.StartAsync();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_start_tells_its_steps_in_order_and_ends_running()
    {
        await _fixture.StartAsync(_fixture.Work);
        Assert.Equal(StartEvents, _fixture.Events.Of(_fixture.Work.Name));
        Assert.Equal(PowerState.Running, await _fixture.StateAsync(_fixture.Work));
        Assert.True(await _fixture.OnLoopAsync(() => _fixture.Work.Runtime.Xid) > 0);
        Assert.NotNull(await _fixture.OnLoopAsync(() => _fixture.Work.Runtime.StartTime));
        Assert.True(IsVolumeStarted());
    }

    [Fact]
    public async Task A_kill_tells_the_stop_in_order_and_ends_halted()
    {
        await _fixture.StartAsync(_fixture.Work);
        _fixture.Events.Clear();
        await _fixture.KillAsync(_fixture.Work);
        Assert.Equal(StopEvents, _fixture.Events.Of(_fixture.Work.Name));
        Assert.Equal(PowerState.Halted, await _fixture.StateAsync(_fixture.Work));
        Assert.Equal(-1, await _fixture.OnLoopAsync(() => _fixture.Work.Runtime.Xid));
        Assert.False(IsVolumeStarted());
    }

    [Fact]
    public async Task Starting_what_runs_does_nothing()
    {
        await _fixture.StartAsync(_fixture.Work);
        _fixture.Events.Clear();
        await _fixture.StartAsync(_fixture.Work);
        Assert.Empty(_fixture.Events.Of(_fixture.Work.Name));
    }

    [Fact]
    public async Task Two_starts_at_once_are_one_start()
    {
        await _fixture.OnLoopAsync(() => Task.WhenAll(_fixture.Lifecycle.StartAsync(_fixture.Work), _fixture.Lifecycle.StartAsync(_fixture.Work)));
        Assert.Equal(StartEvents, _fixture.Events.Of(_fixture.Work.Name));
        Assert.Equal(["launch", "resume"], _fixture.Hypervisor.Calls);
    }

    [Fact]
    public async Task A_prohibited_start_fails_with_its_reason_and_no_pre_start()
    {
        await _fixture.OnLoopAsync(() => _fixture.Work.Features.Set("prohibit-start", "broken"));
        QubesException refused = await Assert.ThrowsAsync<QubesException>(() => _fixture.StartAsync(_fixture.Work));
        Assert.Equal("Qube start is prohibited. Rationale: broken", refused.Message);
        Assert.Equal(["domain-start-failed"], _fixture.Events.Of(_fixture.Work.Name));
    }

    [Theory]
    [InlineData("domain-pre-start")]
    [InlineData("domain-pre-spawn")]
    public async Task A_veto_before_the_launch_leaves_nothing(string name)
    {
        await _fixture.OnLoopAsync(() => _fixture.App.Events.On(EmitterClass.AppVM, name, _ => throw QubesErrors.VM("vetoed")));
        QubesException refused = await Assert.ThrowsAsync<QubesException>(() => _fixture.StartAsync(_fixture.Work));
        Assert.Equal("vetoed", refused.Message);
        Assert.Equal("domain-start-failed", _fixture.Events.Of(_fixture.Work.Name)[^1]);
        await AssertNothingRemainsAsync();
        Assert.DoesNotContain("launch", _fixture.Hypervisor.Calls);
    }

    [Fact]
    public async Task A_launch_that_fails_stops_the_volumes_and_can_be_tried_again()
    {
        _fixture.Hypervisor.Before["launch"] = () => throw new LibvirtException("virDomainCreateWithFlags", LibvirtError.Internal, "no room");
        QubesException failed = await Assert.ThrowsAsync<QubesException>(() => _fixture.StartAsync(_fixture.Work));
        Assert.StartsWith("Start failed: no room, see ", failed.Message, StringComparison.Ordinal);
        Assert.Equal(["domain-pre-start", "domain-verify-files", "domain-pre-spawn", "domain-start-failed"], _fixture.Events.Of(_fixture.Work.Name));
        await AssertNothingRemainsAsync();
        _fixture.Hypervisor.Before.Clear();
        await _fixture.StartAsync(_fixture.Work);
        Assert.Equal(PowerState.Running, await _fixture.StateAsync(_fixture.Work));
    }

    [Theory]
    [InlineData("domain-spawn")]
    [InlineData("domain-pre-unpaused")]
    [InlineData("domain-unpaused")]
    [InlineData("domain-start")]
    public async Task A_failure_after_the_launch_ends_the_qube_the_normal_way(string name)
    {
        await _fixture.OnLoopAsync(() => _fixture.App.Events.On(EmitterClass.AppVM, name, _ => throw QubesErrors.VM("broken")));
        await Assert.ThrowsAsync<QubesException>(() => _fixture.StartAsync(_fixture.Work));
        IReadOnlyList<string> events = _fixture.Events.Of(_fixture.Work.Name);
        Assert.Equal(["domain-start-failed", .. StopEvents], events.Skip(events.Count - StopEvents.Length - 1));
        await AssertNothingRemainsAsync();
    }

    [Fact]
    public async Task A_failing_resume_ends_the_qube()
    {
        _fixture.Hypervisor.Before["resume"] = () => throw new LaneTimeoutException(_fixture.Work.Name, "resume", wasUnderWay: true, hung: null);
        await Assert.ThrowsAsync<QubesException>(() => _fixture.StartAsync(_fixture.Work));
        await AssertNothingRemainsAsync();
    }

    [Fact]
    public async Task A_missing_volume_fails_the_start_by_name()
    {
        foreach (string file in Directory.GetFiles(_fixture.DirectoryOf(_fixture.Work), "private*"))
        {
            File.Delete(file);
        }

        QubesException failed = await Assert.ThrowsAsync<QubesException>(() => _fixture.StartAsync(_fixture.Work));
        Assert.Contains("private", failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("launch", _fixture.Hypervisor.Calls);
    }

    [Fact]
    public async Task A_qube_removed_while_its_start_waits_is_not_found()
    {
        TaskCompletionSource release = new();
        // The removal holds the lock, and the start comes after it.
        Task removal = _fixture.OnLoopAsync(() => _fixture.Lifecycle.RemoveAsync(_fixture.Work, async () =>
        {
            await release.Task;
            _fixture.App.Domains.Remove(_fixture.Work);
        }));
        Task start = _fixture.StartAsync(_fixture.Work);
        release.SetResult();
        await removal;
        Assert.Equal(QubesErrorNames.VMNotFound, (await Assert.ThrowsAsync<QubesException>(() => start)).WireName);
    }

    [Fact]
    public async Task A_removal_waits_for_a_start_under_way_and_then_refuses()
    {
        TaskCompletionSource release = new();
        _fixture.Hypervisor.Before["launch"] = () => release.Task;
        Task spawning = _fixture.Events.NextAsync(_fixture.Work.Name, "domain-pre-spawn");
        Task start = _fixture.StartAsync(_fixture.Work);
        await spawning;
        Task removal = _fixture.RemoveAsync(_fixture.Work);
        release.SetResult();
        await start;
        Assert.Equal(QubesErrorNames.VMNotHalted, (await Assert.ThrowsAsync<QubesException>(() => removal)).WireName);
        Assert.Equal(PowerState.Running, await _fixture.StateAsync(_fixture.Work));
    }

    [Fact]
    public async Task A_start_right_after_a_kill_waits_for_the_stop_to_be_handled()
    {
        await _fixture.StartAsync(_fixture.Work);
        _fixture.Events.Clear();
        Task stopped = _fixture.Events.NextAsync(_fixture.Work.Name, "domain-stopped");
        Task kill = _fixture.KillAsync(_fixture.Work);
        await stopped;
        await _fixture.StartAsync(_fixture.Work);
        await kill;
        Assert.Equal([.. StopEvents, .. StartEvents], _fixture.Events.Of(_fixture.Work.Name));
        Assert.Equal(PowerState.Running, await _fixture.StateAsync(_fixture.Work));
    }

    [Fact]
    public async Task Dom0_cannot_be_started()
    {
        QubesException refused = await Assert.ThrowsAsync<QubesException>(() => _fixture.StartAsync(_fixture.App.Domains.AdminVM));
        Assert.Equal(QubesErrorNames.VMNotHalted, refused.WireName);
    }

    private bool IsVolumeStarted() => Directory.GetFiles(_fixture.Paths.QubesRunDirectory, "volume-running-*").Length > 0;

    private async Task AssertNothingRemainsAsync()
    {
        Assert.Equal(PowerState.Halted, await _fixture.StateAsync(_fixture.Work));
        Assert.False(IsVolumeStarted());
        Assert.DoesNotContain(await _fixture.Hypervisor.GetAllAsync(), sample => sample.Uuid == _fixture.Work.Uuid.Value && sample.IsActive);
    }
}
