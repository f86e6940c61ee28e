using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Disposables;
using Qubes.Model.Network;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Tests.Disposables;

/// <summary>Disposables started ahead of need: every stage, and every way out of it.</summary>
public sealed class PreloadTests : IAsyncLifetime
{
    private static readonly TimeSpan RemovalDelay = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RefillDelay = TimeSpan.FromSeconds(3);

    private DisposableFixture _fixture = null!;

    public async ValueTask InitializeAsync() => _fixture = await DisposableFixture.StartAsync();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task Those_wanted_are_started_paused_and_hidden()
    {
        await _fixture.PreloadAsync(2);
        string[] list = await _fixture.ListAsync();
        Assert.Equal(2, list.Length);
        foreach (string name in list)
        {
            DispVM disposable = await _fixture.FindAsync(name);
            await _fixture.Host.OnLoopAsync(() =>
            {
                Assert.Equal(PowerState.Paused, disposable.PowerState);
                Assert.Equal(("1", "", "1"), (disposable.Features.Get(PreloadFeatures.Completed), disposable.Features.Get(PreloadFeatures.InProgress),
                    disposable.Features.Get(PreloadFeatures.Internal)));
                Assert.True(disposable is { IsPreload: true, AutoCleanup: true, PreloadRequested: false });
            });
        }

        Assert.Equal([PreloadFeatures.WaitForSystem, PreloadFeatures.WaitForSystem], _fixture.Guests.Calls);

        // Nothing is missing: asking again changes nothing.
        await _fixture.Host.OnLoopAsync(() => _fixture.Service.PreloadAsync(_fixture.Template, "test"));
        Assert.Equal(list, await _fixture.ListAsync());
    }

    [Fact]
    public async Task A_netvm_that_changed_while_it_waited_is_its_own_when_it_is_used()
    {
        QubesVM net = null!;
        await _fixture.Host.OnLoopAsync(async () =>
        {
            net = await _fixture.Host.CreateAsync(QubeClasses.AppVM, "net", _fixture.Host.Template);
            NetworkProperties.ProvidesNetwork.Set(net, true);
            NetworkProperties.NetVM.Set(net, null);
        });
        await _fixture.Host.StartAsync(net);
        await _fixture.PreloadAsync(1);
        DispVM waiting = await _fixture.FindAsync(Assert.Single(await _fixture.ListAsync()));

        // The template follows as well, so what waits is not out of date.
        await _fixture.Host.OnLoopAsync(() => QubesAppProperties.DefaultNetVM.Set(_fixture.Host.App, net));
        Assert.Equal("", await _fixture.Host.OnLoopAsync(() => waiting.Features.Get(NetworkFeatures.Deferred)));
        Task repeated = _fixture.Host.Events.NextAsync(waiting.Name, "property-set:netvm");
        Assert.Same(waiting, await _fixture.CreateAsync());
        await repeated;
        Assert.Null(await _fixture.Host.OnLoopAsync(() => waiting.Features.Get(NetworkFeatures.Deferred)));
    }

    [Fact]
    public async Task The_oldest_is_handed_out_running_and_replaced_after_a_while()
    {
        await _fixture.PreloadAsync(1);
        string ready = Assert.Single(await _fixture.ListAsync());
        Task<string> used = _fixture.Host.Events.NextAsync(_fixture.Template.Name, "domain-preload-dispvm-used");
        DispVM taken = await _fixture.CreateAsync();
        Assert.Equal(ready, taken.Name.Value);
        Assert.Equal($"dispvm|{ready}|delay|3.0|", await used);
        await _fixture.Host.OnLoopAsync(() =>
        {
            Assert.Equal(PowerState.Running, taken.PowerState);
            Assert.True(taken is { IsPreload: false, PreloadRequested: false });
            Assert.False(taken.Features.Contains(PreloadFeatures.Internal));
            Assert.False(taken.Features.Contains(PreloadFeatures.InProgress));
        });
        Assert.Empty(await _fixture.ListAsync());
        await _fixture.Time.WaitedForAsync(RefillDelay);
        _fixture.Time.Advance(RefillDelay);
        await WaitForListAsync(1);
    }

    [Fact]
    public async Task Two_who_ask_at_once_get_two()
    {
        await _fixture.PreloadAsync(2);
        string[] list = await _fixture.ListAsync();
        DispVM[] taken = await Task.WhenAll(_fixture.CreateAsync(), _fixture.CreateAsync());
        Assert.Equal(list.Order(StringComparer.Ordinal), taken.Select(t => t.Name.Value).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task When_none_is_ready_a_new_one_is_made()
    {
        DispVM made = await _fixture.CreateAsync();
        Assert.Equal(PowerState.Halted, await _fixture.Host.StateAsync(made));
    }

    [Theory]
    [InlineData(null, "5")]
    [InlineData("6", "6.0")]
    public async Task What_is_missing_is_made_up_for_after_a_while(string? delay, string told)
    {
        await _fixture.Host.OnLoopAsync(() =>
        {
            _fixture.Template.Features.Load(PreloadFeatures.Max, "1");
            if (delay is not null)
            {
                _fixture.Template.Features.Load(PreloadFeatures.Delay, delay);
            }
        });
        Task<string> refill = _fixture.Host.Events.NextAsync(_fixture.Template.Name, "domain-preload-dispvm-start");
        _ = await _fixture.CreateAsync();
        Assert.Equal($"reason|there is a gap|delay|{told}|", await refill);
    }

    [Fact]
    public async Task Who_cannot_wait_gets_one_that_is_still_being_prepared()
    {
        TaskCompletionSource never = new();
        _fixture.Guests.Answer = never.Task;
        Task preloading = _fixture.PreloadAsync(1);
        await _fixture.Guests.Asked;
        string name = Assert.Single(await _fixture.ListAsync());
        DispVM taken = await _fixture.CreateAsync();
        Assert.Equal(name, taken.Name.Value);
        Assert.Equal(PowerState.Running, await _fixture.Host.StateAsync(taken));
        Assert.DoesNotContain("suspend", _fixture.Host.Hypervisor.Calls);
        await preloading;
        never.SetResult();
    }

    [Fact]
    public async Task A_guest_that_does_not_get_ready_leaves_nothing()
    {
        _fixture.Guests.Answer = Task.FromException(QubesErrors.VM("not here"));
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => _fixture.PreloadAsync(1));
        Assert.Contains("not here", failure.Message, StringComparison.Ordinal);
        Assert.Empty(await _fixture.ListAsync());
        Assert.Empty(await _fixture.DisposablesAsync());
    }

    [Fact]
    public async Task A_guest_that_never_answers_is_given_up_in_time()
    {
        TaskCompletionSource never = new();
        _fixture.Guests.Answer = never.Task;
        Task preloading = _fixture.PreloadAsync(1);
        await _fixture.Guests.Asked;
        await _fixture.Time.WaitedForAsync(TimeSpan.FromSeconds(60));
        _fixture.Time.Advance(TimeSpan.FromSeconds(60));
        await Assert.ThrowsAsync<QubesException>(() => preloading);
        Assert.Empty(await _fixture.DisposablesAsync());
    }

    [Fact]
    public async Task One_that_no_longer_matches_its_template_is_not_handed_out()
    {
        await _fixture.PreloadAsync(1);
        string old = Assert.Single(await _fixture.ListAsync());
        await _fixture.Host.OnLoopAsync(() => QubesVMProperties.Debug.Set(_fixture.Template, true));
        DispVM made = await _fixture.CreateAsync();
        Assert.NotEqual(old, made.Name.Value);
        Assert.Empty(await _fixture.ListAsync());
        Task removal = _fixture.NextRemovalAsync();
        await _fixture.Time.WaitedForAsync(RemovalDelay);
        _fixture.Time.Advance(RemovalDelay);
        await removal;
        Assert.Equal([made], await _fixture.DisposablesAsync());
    }

    [Fact]
    public async Task Whoever_unpauses_one_has_it_in_use()
    {
        await _fixture.PreloadAsync(1);
        DispVM disposable = await _fixture.FindAsync(Assert.Single(await _fixture.ListAsync()));
        await _fixture.Host.OnLoopAsync(() => _fixture.Host.Lifecycle.UnpauseAsync(disposable));
        Assert.Empty(await _fixture.ListAsync());
        Assert.False(await _fixture.Host.OnLoopAsync(() => disposable.IsPreload));
        Assert.Equal("", await _fixture.Host.OnLoopAsync(() => disposable.Features.Get(PreloadFeatures.InProgress)));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(5, 2)]
    public async Task No_more_are_started_than_memory_allows(int fit, int started)
    {
        await _fixture.Host.OnLoopAsync(() => _fixture.Host.App.Domains.AdminVM.Features.Set(PreloadFeatures.Threshold, "100"));
        long memory = await _fixture.Host.OnLoopAsync(() => _fixture.Template.Memory);
        await File.WriteAllTextAsync(_fixture.FreeMemoryFile, $"{((fit * memory) + 100) << 20}\n");
        await _fixture.PreloadAsync(2);
        Assert.Equal(started, (await _fixture.ListAsync()).Length);
    }

    [Fact]
    public async Task Too_many_are_removed()
    {
        await _fixture.PreloadAsync(2);
        string[] list = await _fixture.ListAsync();
        Task removal = _fixture.NextRemovalAsync();
        await _fixture.PreloadAsync(1);
        Assert.Equal([list[0]], await _fixture.ListAsync());
        await removal;
        Assert.Equal(list[0], Assert.Single(await _fixture.DisposablesAsync()).Name.Value);
    }

    [Fact]
    public async Task A_template_that_gives_up_its_role_keeps_none()
    {
        await _fixture.PreloadAsync(1);
        Task removal = _fixture.NextRemovalAsync();
        await _fixture.Host.OnLoopAsync(() => DisposableTemplateProperties.TemplateForDispVMs.Set(_fixture.Template, false));
        await removal;
        Assert.Empty(await _fixture.ListAsync());
        Assert.Empty(await _fixture.DisposablesAsync());
    }

    [Fact]
    public async Task A_template_that_goes_takes_those_that_wait_along_and_gets_no_new_ones()
    {
        await _fixture.PreloadAsync(2);
        await Assert.ThrowsAsync<QubesException>(() => _fixture.Host.OnLoopAsync(() => _fixture.Service.RemoveTemplateAsync(_fixture.Template, async () =>
        {
            Assert.DoesNotContain(_fixture.Host.App.Domains, qube => qube is DispVM);
            await _fixture.Service.PreloadAsync(_fixture.Template, "test");
            Assert.DoesNotContain(_fixture.Host.App.Domains, qube => qube is DispVM);
            throw QubesErrors.VMInUse(_fixture.Template.Name, "It stays");
        })));
        await _fixture.Host.OnLoopAsync(() => _fixture.Service.PreloadAsync(_fixture.Template, "test"));
        Assert.Equal(2, (await _fixture.ListAsync()).Length);
    }

    [Fact]
    public async Task None_waits_while_the_host_sleeps()
    {
        await _fixture.PreloadAsync(2);
        await _fixture.Host.OnLoopAsync(_fixture.Service.ReleaseAllAsync);
        Assert.Empty(await _fixture.DisposablesAsync());
        Assert.Empty(await _fixture.ListAsync());
    }

    [Fact]
    public async Task After_a_restart_those_ready_stay_and_those_half_ready_go()
    {
        await _fixture.PreloadAsync(2);
        string[] list = await _fixture.ListAsync();
        DispVM half = await _fixture.FindAsync(list[0]);
        await _fixture.Host.OnLoopAsync(() => half.Features.Set(PreloadFeatures.InProgress, "1"));
        await _fixture.Host.OnLoopAsync(_fixture.Service.AttachAsync);
        Assert.Equal([list[1]], await _fixture.ListAsync());
        Assert.Equal(list[1], Assert.Single(await _fixture.DisposablesAsync()).Name.Value);
    }

    [Fact]
    public async Task A_set_number_starts_them_by_itself()
    {
        Task started = _fixture.Host.Events.NextAsync(_fixture.Template.Name, "domain-preload-dispvm-start");
        await _fixture.Host.OnLoopAsync(() => _fixture.Template.Features.Set(PreloadFeatures.Max, "1"));
        await started;
        await WaitForListAsync(1);
    }

    /// <summary>Until this many are listed and all of them are ready.</summary>
    private async Task WaitForListAsync(int count)
    {
        while (true)
        {
            Task changed = _fixture.Host.Events.NextAsync(_fixture.Template.Name, "domain-feature-set:" + PreloadFeatures.List);
            string[] list = await _fixture.ListAsync();
            if (list.Length == count)
            {
                return;
            }

            await changed;
        }
    }
}
