using Qubes.Testing;

namespace Qubes.Admin.Tests.Calls;

public sealed class EventCallTests
{
    private const string Established = "1\0\0connection-established\0\0";

    private static async Task<RawClient> SubscribeAsync(AdminFixture fixture, string source = "dom0", string destination = "dom0")
    {
        RawClient client = await RawClient.ConnectAsync(fixture.AdminSocket);
        await client.SendAsync($"admin.Events+ {source} name {destination}\0");
        client.FinishOutput();
        Assert.Equal(Established, await client.ReadExactlyAsync(Established.Length));
        return client;
    }

    private static async Task ExpectAsync(RawClient client, string events) => Assert.Equal(events, await client.ReadExactlyAsync(events.Length));

    [Fact]
    public async Task Admin_Events()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        using RawClient events = await SubscribeAsync(fixture);
        await fixture.CallAsync("admin.vm.tag.Set", "t", "work");
        await ExpectAsync(events, "1\0work\0domain-tag-add:t\0tag\0t\0\0");
        await fixture.CallAsync("admin.vm.property.Set", "netvm", "work", "");
        await ExpectAsync(events,
            "1\0work\0property-pre-set:netvm\0name\0netvm\0newvalue\0None\0oldvalue\0None\0\0"
            + "1\0work\0property-set:netvm\0name\0netvm\0newvalue\0None\0oldvalue\0None\0\0");
    }

    [Fact]
    public async Task Creation_is_told_in_the_order_clients_know()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        using RawClient events = await SubscribeAsync(fixture);
        await fixture.CallAsync("admin.vm.Create.AppVM", "debian", payload: "name=new label=red");
        await ExpectAsync(events, "1\0\0domain-add\0vm\0new\0\0" + "1\0new\0domain-tag-add:created-by-dom0\0tag\0created-by-dom0\0\0");
        await fixture.CallAsync("admin.vm.Remove", destination: "new");
        await ExpectAsync(events, "1\0\0domain-pre-delete\0vm\0new\0\0" + "1\0\0domain-delete\0vm\0new\0\0");
    }

    [Fact]
    public async Task A_stream_of_one_qube_has_only_its_events()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        using RawClient events = await SubscribeAsync(fixture, destination: "work");
        await fixture.CallAsync("admin.vm.tag.Set", "other", "debian");
        await fixture.CallAsync("admin.vm.tag.Set", "t", "work");
        await ExpectAsync(events, "1\0work\0domain-tag-add:t\0tag\0t\0\0");
    }

    [Fact]
    public async Task Another_qube_gets_what_policy_lets_it_have_and_at_once_when_that_changes()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("watcher");
        fixture.Policy.With("30-test.policy", "admin.Events +domain-tag-add_seen watcher work allow target=dom0\n");
        using RawClient events = await SubscribeAsync(fixture, source: "watcher");
        await fixture.CallAsync("admin.vm.tag.Set", "seen", "debian");
        await fixture.CallAsync("admin.vm.tag.Set", "unseen", "work");
        await fixture.CallAsync("admin.vm.tag.Set", "seen", "work");
        await ExpectAsync(events, "1\0work\0domain-tag-add:seen\0tag\0seen\0\0");
        fixture.Policy.With("30-test.policy", "admin.Events * watcher debian allow target=dom0\n");
        await fixture.CallAsync("admin.vm.tag.Remove", "seen", "work");
        await fixture.CallAsync("admin.vm.tag.Remove", "seen", "debian");
        await ExpectAsync(events, "1\0debian\0domain-tag-delete:seen\0tag\0seen\0\0");
    }

    [Fact]
    public async Task A_change_that_could_not_be_written_is_not_told()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        using RawClient events = await SubscribeAsync(fixture);
        fixture.DiskIsFull = true;
        await fixture.CallAsync("admin.vm.tag.Set", "lost", "work");
        fixture.DiskIsFull = false;
        await fixture.CallAsync("admin.vm.tag.Set", "kept", "work");
        await ExpectAsync(events, "1\0work\0domain-tag-add:kept\0tag\0kept\0\0");
    }

    [Fact]
    public async Task A_subscriber_that_hangs_up_is_forgotten_without_waiting_for_an_event()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        RawClient leaving = await SubscribeAsync(fixture);
        Assert.Equal(1, await fixture.OnLoopAsync(_ => fixture.Broadcaster.SubscriberCount));
        leaving.Dispose();
        await fixture.Loop.InvokeAsync(async () =>
        {
            while (fixture.Broadcaster.SubscriberCount > 0)
            {
                await Task.Yield();
            }
        }).WaitAsync(RawClient.Patience);
    }
}
