using Qubes.Protocol.Names;
using Qubes.Testing;

namespace Qubes.Admin.Tests.Limits;

public sealed class CallerGateTests
{
    private const string Limited = "2\0QubesRateLimitedError\0\0";

    [Fact]
    public async Task A_caller_over_its_rate_waits_and_is_refused_beyond_a_second_while_others_go_on()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await LimitAsync(fixture, "limit-calls-rate", "2");
        await LimitAsync(fixture, "limit-calls-burst", "3");

        // Three points at once, two more within a second: what needs the sixth is refused.
        for (int i = 0; i < 3; i++)
        {
            Assert.StartsWith("0\0", await CallAsync(fixture, "work"), StringComparison.Ordinal);
        }

        Task<string>[] waiting = [CallAsync(fixture, "work"), CallAsync(fixture, "work"), CallAsync(fixture, "work")];
        Assert.StartsWith("0\0", await CallAsync(fixture, "debian"), StringComparison.Ordinal);
        Assert.StartsWith("0\0", await fixture.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        Assert.All(waiting, call => Assert.False(call.IsCompleted));

        await UntilWaitingAsync(fixture, 3);
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        string[] replies = await Task.WhenAll(waiting).WaitAsync(RawClient.Patience);
        Assert.Equal(2, replies.Count(r => r.StartsWith("0\0", StringComparison.Ordinal)));
        Assert.Single(replies, $"{Limited}work makes more calls than its limit allows\0");

        fixture.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.StartsWith("0\0", await CallAsync(fixture, "work"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3650)]
    [InlineData(-3650)]
    public async Task Setting_the_clock_gives_no_calls_and_takes_none(int days)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await LimitAsync(fixture, "limit-calls-rate", "1");
        await LimitAsync(fixture, "limit-calls-burst", "1");
        Assert.StartsWith("0\0", await CallAsync(fixture, "work"), StringComparison.Ordinal);
        fixture.Time.SetClock(TimeSpan.FromDays(days));
        Task<string> waiting = CallAsync(fixture, "work");
        await UntilWaitingAsync(fixture, 1);
        Assert.False(waiting.IsCompleted);
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.StartsWith("0\0", await waiting.WaitAsync(RawClient.Patience), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Writing_and_starting_cost_more_than_reading()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal([1, 10, 50, 20], new[] { "admin.vm.List", "admin.vm.tag.Set", "admin.vm.Start", "admin.Events" }
            .Select(name => Admin.Limits.CallerGate.CostOf(fixture.Methods.All.Single(m => m.Name == name))));
    }

    [Fact]
    public async Task A_caller_has_only_so_many_calls_at_a_time()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await LimitAsync(fixture, "limit-calls-parallel", "2");
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        fixture.Lifecycle.Gate = gate.Task;
        Task<string>[] calls = [StartAsync(fixture), StartAsync(fixture), StartAsync(fixture), StartAsync(fixture), StartAsync(fixture)];

        // Two run, two wait for their refusal, the fifth need not wait for it.
        Assert.Equal($"{Limited}more than 2 calls of work at a time\0", await await Task.WhenAny(calls).WaitAsync(RawClient.Patience));
        await UntilWaitingAsync(fixture, 2);
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        gate.SetResult();
        string[] replies = await Task.WhenAll(calls).WaitAsync(RawClient.Patience);
        Assert.Equal((2, 3), (replies.Count(r => r == "0\0"), replies.Count(r => r.StartsWith(Limited, StringComparison.Ordinal))));
        Assert.Equal("0\0", await StartAsync(fixture));
    }

    [Fact]
    public async Task A_caller_has_only_so_many_streams_and_gets_the_place_of_one_that_ended()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await LimitAsync(fixture, "limit-streams", "1");
        RawClient first = await SubscribeAsync(fixture, "work");
        Assert.StartsWith("1\0", await first.ReadAsync(), StringComparison.Ordinal);
        using RawClient second = await SubscribeAsync(fixture, "work");
        Assert.Equal($"{Limited}more than 1 event streams of work at a time\0", await second.ReadAsync());
        using RawClient other = await SubscribeAsync(fixture, "debian");
        Assert.StartsWith("1\0", await other.ReadAsync(), StringComparison.Ordinal);
        first.Dispose();
        await UntilAsync(fixture, () => fixture.Broadcaster.SubscriberCount == 1);
        using RawClient third = await SubscribeAsync(fixture, "work");
        Assert.StartsWith("1\0", await third.ReadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_creator_has_only_so_many_disposables()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await LimitAsync(fixture, "limit-disposables", "1");
        await fixture.OnLoopAsync(app => fixture.Gate.RequireDisposable(app.Domains["work"]));
        await fixture.AddQubeAsync("disposable");
        await fixture.OnLoopAsync(app => app.Domains["disposable"].Tags.Add(TagName.Parse("disp-created-by-work")));
        Protocol.Errors.QubesException error = await Assert.ThrowsAsync<Protocol.Errors.QubesException>(() =>
            fixture.OnLoopAsync(app => fixture.Gate.RequireDisposable(app.Domains["work"])));
        Assert.Equal(("QubesRateLimitedError", "work may not have more than 1 disposables at a time"), (error.WireName, error.Message));
        await fixture.OnLoopAsync(app => fixture.Gate.RequireDisposable(app.Domains["dom0"]));
    }

    [Theory]
    [InlineData("limit-calls-rate", "0", "1")]
    [InlineData("limit-calls-burst", "", "1")]
    [InlineData("limit-calls-parallel", "-1", "1")]
    [InlineData("limit-streams", "x", "0")]
    [InlineData("limit-disposables", "1000001", "0")]
    public async Task Limits_are_checked_when_they_are_set(string feature, string value, string least)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal($"2\0QubesValueError\0\0Feature {feature} must be 'unlimited' or a number from {least} to 1000000\0",
            await fixture.CallAsync("admin.vm.feature.Set", feature, "work", value));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.feature.Set", feature, "work", "unlimited"));
    }

    [Fact]
    public async Task Only_dom0_changes_limits()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        const string refusal = "2\0PermissionDenied\0\0only dom0 may change the limits of callers\0";
        Assert.Equal(refusal, await fixture.CallAsync("admin.vm.feature.Set", "limit-streams", "work", "5", source: "work"));
        await LimitAsync(fixture, "limit-streams", "5");
        Assert.Equal(refusal, await fixture.CallAsync("admin.vm.feature.Remove", "limit-streams", "work", source: "work"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.feature.Remove", "limit-streams", "work"));
    }

    [Fact]
    public async Task Dom0_is_limited_only_when_it_says_so()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.feature.Set", "limit-streams", "dom0", "0"));
        using RawClient client = await SubscribeAsync(fixture, "dom0");
        Assert.StartsWith(Limited, await client.ReadAsync(), StringComparison.Ordinal);
    }

    private static async Task LimitAsync(AdminFixture fixture, string feature, string value) =>
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.feature.Set", feature, "work", value));

    private static Task<string> CallAsync(AdminFixture fixture, string source) => fixture.CallAsync("admin.vm.feature.List", destination: "work", source: source);

    private static Task<string> StartAsync(AdminFixture fixture) => fixture.CallAsync("admin.vm.Start", destination: "debian", source: "work");

    private static async Task<RawClient> SubscribeAsync(AdminFixture fixture, string source)
    {
        RawClient client = await RawClient.ConnectAsync(fixture.AdminSocket);
        await client.SendAsync($"admin.Events+ {source} name {(source == "dom0" ? "dom0" : "work")}\0");
        client.FinishOutput();
        return client;
    }

    private static Task UntilWaitingAsync(AdminFixture fixture, int count) => UntilAsync(fixture, () => fixture.Time.SetTimers >= count);

    /// <summary>Lets the loop turn until something that is under way has happened there.</summary>
    private static async Task UntilAsync(AdminFixture fixture, Func<bool> happened)
    {
        using CancellationTokenSource patience = new(RawClient.Patience);
        while (!await fixture.OnLoopAsync(_ => happened()))
        {
            patience.Token.ThrowIfCancellationRequested();
        }
    }
}
