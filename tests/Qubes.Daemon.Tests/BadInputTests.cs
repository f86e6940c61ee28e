using Qubes.Testing;

namespace Qubes.Daemon.Tests;

/// <summary>Callers that do it wrong, against the real daemon: each gets its answer, and nobody else notices.</summary>
public sealed class BadInputTests
{
    [Fact]
    public async Task Idle_half_and_oversized_requests_do_not_keep_others_waiting()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        List<RawClient> idle = [];
        for (int i = 0; i < 1000; i++)
        {
            RawClient client = await RawClient.ConnectAsync(daemon.Paths.AdminSocket);
            idle.Add(client);
            if (i % 2 == 0)
            {
                await client.SendAsync("admin.vm.List+ dom0 na");
            }
        }

        Assert.Equal("2\0QubesDaemonCommunicationError\0\0request too long (max 65536 bytes)\0",
            await RawClient.CallAsync(daemon.Paths.AdminSocket, "admin.vm.List+ dom0 name dom0\0" + new string('x', 100_000)));
        Assert.StartsWith("0\0dom0", await daemon.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        idle.ForEach(c => c.Dispose());
        Assert.StartsWith("0\0dom0", await daemon.CallAsync("admin.vm.List"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_whose_caller_is_gone_is_done_all_the_same()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        await daemon.CreateQubesAsync();
        using (RawClient events = await RawClient.ConnectAsync(daemon.Paths.AdminSocket))
        {
            await events.SendAsync("admin.Events+ dom0 name work\0");
            events.FinishOutput();
            Assert.Equal("1\0\0connection-established\0\0", await events.ReadAsync());
            using (RawClient leaving = await RawClient.ConnectAsync(daemon.Paths.AdminSocket))
            {
                await leaving.SendAsync("admin.vm.tag.Set+left dom0 name work\0");
                leaving.FinishOutput();
            }

            Assert.Equal("1\0work\0domain-tag-add:left\0tag\0left\0\0", await events.ReadAsync());
        }

        Assert.Equal("0\01", await daemon.CallAsync("admin.vm.tag.Get", "left", "work"));
    }

    [Fact]
    public async Task A_refused_call_changes_nothing_on_disk()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        await daemon.CreateQubesAsync();
        // The history has a line for every commit before its call is answered; the store's file follows later.
        string history = Path.Combine(daemon.Paths.StateDirectory, "history", "changes.jsonl");
        byte[] before = await File.ReadAllBytesAsync(history);
        (string Method, string Argument, string Payload)[] refused =
        [
            ("admin.vm.property.Set", "memory", "a lot"),
            ("admin.vm.property.Set", "netvm", "nobody"),
            ("admin.vm.property.Set", "name", "other"),
            ("admin.vm.property.Set", "label", "nocolour"),
            ("admin.vm.feature.Set", "a/b", "1"),
            ("admin.vm.tag.Set", "a.b", ""),
            ("admin.vm.feature.Remove", "unset", ""),
        ];
        foreach ((string method, string argument, string payload) in refused)
        {
            Assert.StartsWith("2\0", await daemon.CallAsync(method, argument, "work", payload), StringComparison.Ordinal);
        }

        Assert.StartsWith("2\0", await daemon.CallAsync("admin.vm.Create.AppVM", "debian", payload: "name=../../x label=red"), StringComparison.Ordinal);
        Assert.StartsWith("2\0", await daemon.CallAsync("admin.vm.Create.AppVM", "nothing", payload: "name=x label=red"), StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(history));
    }

    [Fact]
    public async Task Many_changes_at_once_are_all_kept()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        await daemon.CreateQubesAsync();
        string[] replies = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => daemon.CallAsync("admin.vm.tag.Set", $"t{i}", "work")));
        Assert.All(replies, reply => Assert.Equal("0\0", reply));
        await daemon.Process.KillAsync();
        await using RunningDaemon again = await RunningDaemon.StartAsync(daemon.Process.Root);
        string tags = await again.CallAsync("admin.vm.tag.List", destination: "work");
        Assert.All(Enumerable.Range(0, 64), i => Assert.Contains($"t{i}\n", tags, StringComparison.Ordinal));
    }
}
