namespace Qubes.Linux.Tests;

public sealed class AsyncLockTests
{
    [Fact]
    public async Task Waiters_enter_one_at_a_time_in_order_of_arrival()
    {
        var gate = new AsyncLock();
        var order = new List<int>();
        var first = await gate.AcquireAsync();
        Assert.True(gate.IsHeld);
        Assert.False(gate.TryAcquire(out _));
        var waiters = Enumerable.Range(0, 5).Select(async i =>
        {
            using (await gate.AcquireAsync())
                order.Add(i);
        }).ToArray();
        Assert.Empty(order);
        first.Dispose();
        await Task.WhenAll(waiters).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal([0, 1, 2, 3, 4], order);
        Assert.False(gate.IsHeld);
    }

    [Fact]
    public async Task Giving_up_the_wait_leaves_the_lock_to_the_others()
    {
        var gate = new AsyncLock();
        var first = await gate.AcquireAsync();
        using var impatient = new CancellationTokenSource();
        var givenUp = gate.AcquireAsync(impatient.Token).AsTask();
        var patient = gate.AcquireAsync().AsTask();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => givenUp);
        first.Dispose();
        (await patient.WaitAsync(TimeSpan.FromSeconds(30))).Dispose();
        Assert.False(gate.IsHeld);
    }

    [Fact]
    public async Task Keys_lock_independently_and_vanish_when_unused()
    {
        var locks = new KeyedAsyncLocks<string>(StringComparer.Ordinal);
        var work = await locks.AcquireAsync("work");
        using (await locks.AcquireAsync("personal"))
            Assert.Equal(2, locks.Count);
        var second = locks.AcquireAsync("work").AsTask();
        Assert.False(second.IsCompleted);
        Assert.True(locks.IsHeld("work"));
        work.Dispose();
        (await second.WaitAsync(TimeSpan.FromSeconds(30))).Dispose();
        Assert.Equal(0, locks.Count);
        Assert.False(locks.IsHeld("work"));
    }
}

public sealed class RollbackTests
{
    [Fact]
    public async Task Leaving_without_commit_undoes_newest_first()
    {
        var undone = new List<string>();
        await using (var rollback = new Rollback())
        {
            rollback.Push("one", () => undone.Add("one"));
            rollback.Push("two", async () =>
            {
                await Task.Yield();
                undone.Add("two");
            });
        }

        Assert.Equal(["two", "one"], undone);
    }

    [Fact]
    public async Task Commit_forgets_the_steps()
    {
        var undone = 0;
        await using (var rollback = new Rollback())
        {
            rollback.Push("one", () => undone++);
            rollback.Commit();
        }

        Assert.Equal(0, undone);
    }

    [Fact]
    public async Task A_failing_step_neither_stops_the_others_nor_hides_the_cause()
    {
        var undone = 0;
        var failure = await Assert.ThrowsAsync<InvalidDataException>(async () =>
        {
            await using var rollback = new Rollback();
            rollback.Push("one", () => undone++);
            rollback.Push("two", () => throw new IOException("undo"));
            throw new InvalidDataException("cause");
        });
        Assert.Equal("cause", failure.Message);
        Assert.Equal(1, undone);
    }
}

public sealed class ModelLoopTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Work_runs_on_the_loop_and_comes_back_to_it_after_an_await()
    {
        await using var loop = NewLoop();
        var places = await loop.InvokeAsync(async () =>
        {
            var before = loop.IsCurrent;
            await Task.Run(() => Assert.False(loop.IsCurrent));
            return (before, after: loop.IsCurrent);
        }).WaitAsync(Patience);
        Assert.Equal((true, true), places);
        Assert.False(loop.IsCurrent);
    }

    [Fact]
    public async Task Work_from_one_thread_runs_in_order_and_never_at_the_same_time()
    {
        await using var loop = NewLoop();
        var order = new List<int>();
        var tasks = Enumerable.Range(0, 10_000).Select(i => loop.InvokeAsync(() => order.Add(i))).ToArray();
        await Task.WhenAll(tasks).WaitAsync(Patience);
        Assert.Equal(Enumerable.Range(0, 10_000), order);
    }

    [Fact]
    public async Task A_failure_goes_to_the_one_who_asked()
    {
        await using var loop = NewLoop();
        await Assert.ThrowsAsync<InvalidDataException>(() => loop.InvokeAsync(() => throw new InvalidDataException()));
        await Assert.ThrowsAsync<InvalidDataException>(() => loop.InvokeAsync(async () =>
        {
            await Task.Yield();
            throw new InvalidDataException();
        }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            loop.InvokeAsync(() => Task.FromCanceled(new CancellationToken(canceled: true))));
    }

    [Fact]
    public async Task A_failure_nobody_awaits_is_reported_and_the_loop_goes_on()
    {
        var reported = new TaskCompletionSource<Exception>();
        await using var loop = new ModelLoop(reported.SetResult);
        loop.Post(_ => throw new InvalidDataException("lost"), null);
        Assert.Equal("lost", (await reported.Task.WaitAsync(Patience)).Message);
        Assert.Equal(7, await loop.InvokeAsync(() => 7).WaitAsync(Patience));
    }

    [Fact]
    public async Task Stopping_finishes_what_is_queued_and_refuses_the_rest()
    {
        var loop = NewLoop();
        var ran = 0;
        loop.Post(_ => loop.Post(_ => ran++, null), null);
        await loop.DisposeAsync().AsTask().WaitAsync(Patience);
        Assert.Equal(1, ran);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => loop.InvokeAsync(() => 1));
    }

#if DEBUG
    [Fact]
    public async Task Touching_the_model_elsewhere_is_caught()
    {
        await using var loop = NewLoop();
        Assert.Throws<InvalidOperationException>(() => loop.VerifyAccess());
        await loop.InvokeAsync(() => loop.VerifyAccess());
    }
#endif

    private static ModelLoop NewLoop() => new(failure => Assert.Fail(failure.ToString()));
}
