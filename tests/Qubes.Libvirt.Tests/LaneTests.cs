namespace Qubes.Libvirt.Tests;

public sealed class LaneTests : HypervisorTest
{
    // Overdue at once for a call that is made to hang, never reached by one that is not.
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(100);

    [Fact]
    public async Task Calls_of_one_lane_are_made_one_at_a_time_in_order()
    {
        var order = new List<int>();
        var calls = Enumerable.Range(0, 200).Select(i => Session.Lanes.RunAsync("work", "note", _ =>
        {
            order.Add(i);
            return i;
        })).ToArray();
        await Task.WhenAll(calls).WaitAsync(Patience);
        Assert.Equal(Enumerable.Range(0, 200), order);
    }

    [Fact]
    public async Task Calls_of_different_lanes_are_made_side_by_side()
    {
        using var both = new Barrier(2);
        var calls = new[] { "work", "personal" }.Select(lane => Session.Lanes.RunAsync(lane, "meet", _ => both.SignalAndWait(Patience)));
        var met = await Task.WhenAll(calls).WaitAsync(Patience);
        Assert.All(met, Assert.True);
    }

    [Fact]
    public async Task A_hung_call_is_reported_and_no_other_lane_waits_for_it()
    {
        using var release = new ManualResetEventSlim();
        var hanging = Session.Lanes.RunAsync("work", "start", _ => release.Wait(Timeout.Infinite), Soon);
        var overdue = await Assert.ThrowsAsync<LaneTimeoutException>(() => hanging).WaitAsync(Patience);
        Assert.True(overdue.WasUnderWay);
        var hung = Assert.Single(Session.Lanes.HungCalls);
        Assert.Equal(("work", "start"), (hung.Lane, hung.Call));

        // Far more calls of other qubes than there are threads.
        var others = Enumerable.Range(0, 50).Select(i => Session.Lanes.RunAsync($"other{i}", "list", connection => connection.GetAllDomains().Count));
        Assert.All(await Task.WhenAll(others).WaitAsync(Patience), count => Assert.True(count > 0));

        // The same qube's next call waits behind it, and says so; an urgent one does not.
        var behind = await Assert.ThrowsAsync<LaneTimeoutException>(() => Session.Lanes.RunAsync("work", "pause", _ => 1, Soon)).WaitAsync(Patience);
        Assert.False(behind.WasUnderWay);
        Assert.Equal("start", behind.Hung?.Call);
        Assert.Equal(7, await Session.Lanes.RunUrgentAsync("work", "kill", _ => 7).WaitAsync(Patience));

        // When it returns after all, the lane goes on.
        release.Set();
        Assert.Equal(8, await Session.Lanes.RunAsync("work", "state", _ => 8).WaitAsync(Patience));
        Assert.Empty(Session.Lanes.HungCalls);
    }

    [Fact]
    public async Task As_many_hung_calls_as_threads_leave_the_others_working()
    {
        using var release = new ManualResetEventSlim();
        var hanging = Enumerable.Range(0, 12).Select(i => Session.Lanes.RunAsync($"hung{i}", "start", _ => release.Wait(Timeout.Infinite), Soon)).ToArray();
        foreach (var call in hanging)
            await Assert.ThrowsAsync<LaneTimeoutException>(() => call).WaitAsync(Patience);
        Assert.Equal(7, await Session.Lanes.RunAsync("work", "state", _ => 7).WaitAsync(Patience));
        release.Set();
        for (var i = 0; i < 12; i++)
            Assert.Equal(i, await Session.Lanes.RunAsync($"hung{i}", "state", _ => i).WaitAsync(Patience));
        Assert.Empty(Session.Lanes.HungCalls);
    }

    [Fact]
    public async Task A_call_abandoned_while_it_waits_is_never_made()
    {
        using var release = new ManualResetEventSlim();
        using var cancelled = new CancellationTokenSource();
        var made = false;
        var first = Session.Lanes.RunAsync("work", "first", _ => release.Wait(Patience));
        var second = Session.Lanes.RunAsync("work", "second", _ => made = true, cancellationToken: cancelled.Token);
        var third = Session.Lanes.RunAsync("work", "third", _ => 3);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        release.Set();
        Assert.Equal(3, await third.WaitAsync(Patience));
        Assert.True(await first);
        Assert.False(made);
    }

    [Fact]
    public async Task A_failing_call_fails_its_caller_only()
    {
        var failing = Session.Lanes.RunAsync<int>("work", "fail", _ => throw new InvalidDataException("mine"));
        var next = Session.Lanes.RunAsync("work", "state", _ => 7);
        Assert.Equal("mine", (await Assert.ThrowsAsync<InvalidDataException>(() => failing)).Message);
        Assert.Equal(7, await next.WaitAsync(Patience));
    }

    [Fact]
    public async Task Closing_fails_what_waits_and_refuses_more()
    {
        using var release = new ManualResetEventSlim();
        using var begun = new ManualResetEventSlim();
        using var lanes = new LaneSet(() => LibvirtConnection.Open(TestUri));
        var underWay = lanes.RunAsync("work", "first", _ =>
        {
            begun.Set();
            return release.Wait(Patience);
        });
        begun.Wait(Patience);
        var waiting = lanes.RunAsync("work", "second", _ => 2);
        lanes.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        Assert.Throws<ObjectDisposedException>(() => { _ = lanes.RunAsync("work", "third", _ => 3); });
        release.Set();
        Assert.True(await underWay.WaitAsync(Patience));
    }
}
