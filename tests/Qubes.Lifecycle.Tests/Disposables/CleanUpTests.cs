using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Tests.Disposables;

/// <summary>What nobody named goes when it ends, whichever way; what has a name stays.</summary>
public sealed class CleanUpTests : IAsyncLifetime
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(30);

    private DisposableFixture _fixture = null!;

    public async ValueTask InitializeAsync() => _fixture = await DisposableFixture.StartAsync();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_new_disposable_is_halted_and_has_its_data()
    {
        DispVM disposable = await _fixture.CreateAsync();
        Assert.Equal(PowerState.Halted, await _fixture.Host.StateAsync(disposable));
        Assert.True(Directory.Exists(_fixture.Host.DirectoryOf(disposable)));
        Assert.True(await _fixture.Host.OnLoopAsync(() => disposable.AutoCleanup));
    }

    [Fact]
    public async Task A_killed_disposable_is_gone_with_its_data_when_the_kill_returns()
    {
        DispVM disposable = await _fixture.CreateAsync();
        await _fixture.Host.StartAsync(disposable);
        await _fixture.Host.KillAsync(disposable);
        await AssertGoneAsync(disposable);
    }

    [Fact]
    public async Task One_that_shuts_down_by_itself_is_gone_too()
    {
        DispVM disposable = await _fixture.CreateAsync();
        await _fixture.Host.StartAsync(disposable);
        Task removal = _fixture.NextRemovalAsync();
        await _fixture.Host.OnLoopAsync(() => _fixture.Host.Lifecycle.ShutdownAsync(disposable, force: false, wait: true));
        await removal;
        await AssertGoneAsync(disposable);
    }

    [Fact]
    public async Task One_that_does_not_start_is_gone_when_the_start_fails()
    {
        DispVM disposable = await _fixture.CreateAsync();
        _fixture.Host.Hypervisor.Before["resume"] = () => throw QubesErrors.VM("no");
        await Assert.ThrowsAsync<QubesException>(() => _fixture.Host.StartAsync(disposable));
        await AssertGoneAsync(disposable);
    }

    [Fact]
    public async Task A_named_one_stays_whether_it_is_killed_or_does_not_start()
    {
        DispVM? named = null;
        await _fixture.Host.OnLoopAsync(async () =>
        {
            named = (DispVM)await _fixture.Host.CreateAsync(QubeClasses.DispVM, "named", _fixture.Template);
        });
        await _fixture.Host.StartAsync(named!);
        await _fixture.Host.KillAsync(named!);
        _fixture.Host.Hypervisor.Before["launch"] = () => throw QubesErrors.VM("no");
        await Assert.ThrowsAsync<QubesException>(() => _fixture.Host.StartAsync(named!));
        Assert.True(await _fixture.Host.OnLoopAsync(() => named!.IsInCollection));
        Assert.True(Directory.Exists(_fixture.Host.DirectoryOf(named!)));
    }

    [Fact]
    public async Task What_the_package_manager_owns_leaves_no_disposable_behind()
    {
        await _fixture.Host.OnLoopAsync(() => QubesVMProperties.InstalledByRpm.Set(_fixture.Template, true));
        DispVM disposable = await _fixture.CreateAsync();
        await _fixture.Host.StartAsync(disposable);
        await _fixture.Host.KillAsync(disposable);
        await AssertGoneAsync(disposable);
    }

    [Fact]
    public async Task The_next_start_of_the_daemon_removes_what_was_left_and_keeps_what_runs()
    {
        DispVM halted = await _fixture.CreateAsync();
        DispVM running = await _fixture.CreateAsync();
        await _fixture.Host.StartAsync(running);
        await _fixture.Host.OnLoopAsync(_fixture.Service.AttachAsync);
        await AssertGoneAsync(halted);
        Assert.True(await _fixture.Host.OnLoopAsync(() => running.IsInCollection && running.IsRunning));
    }

    [Fact]
    public async Task One_that_cannot_be_removed_now_is_removed_later()
    {
        DispVM disposable = await _fixture.CreateAsync();
        await _fixture.Host.StartAsync(disposable);
        _fixture.Host.Hypervisor.Before["forget"] = () => throw QubesErrors.General("The hypervisor is away");
        await _fixture.Host.KillAsync(disposable);
        Assert.True(await _fixture.Host.OnLoopAsync(() => disposable.IsInCollection));

        // As often as it takes.
        await AdvanceAsync();
        await _fixture.Time.WaitedForAsync(RetryDelay);
        _fixture.Host.Hypervisor.Before.Clear();
        Task removal = _fixture.NextRemovalAsync();
        await AdvanceAsync();
        await removal;
        Assert.False(await _fixture.Host.OnLoopAsync(() => disposable.IsInCollection));

        async Task AdvanceAsync()
        {
            await _fixture.Time.WaitedForAsync(RetryDelay);
            _fixture.Time.Advance(RetryDelay);
        }
    }

    [Fact]
    public async Task What_is_not_authorised_leaves_nothing()
    {
        await Assert.ThrowsAsync<PermissionDeniedException>(() => _fixture.Host.OnLoopAsync(async () =>
        {
            _ = await _fixture.Service.CreateAsync(
                _fixture.Template, DisposableFixture.Origin, static _ => throw QubesErrors.PermissionDenied("no"));
        }));
        Assert.Empty(await _fixture.DisposablesAsync());
    }

    private async Task AssertGoneAsync(DispVM disposable)
    {
        Assert.False(await _fixture.Host.OnLoopAsync(() => disposable.IsInCollection));
        Assert.False(Directory.Exists(_fixture.Host.DirectoryOf(disposable)));
    }
}
