using Qubes.Daemon.Tests.Extensions;
using Qubes.Testing;

namespace Qubes.Daemon.Tests;

/// <summary>Subscribers that do not read, and callers that do not speak.</summary>
public sealed class SlowSubscriberTests
{
    [Fact]
    public async Task A_subscriber_that_never_reads_is_disconnected_and_the_others_miss_nothing()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        await daemon.CreateQubesAsync();
        using RawClient deaf = await RawClient.ConnectAsync(daemon.Paths.AdminSocket);
        await deaf.SendAsync("admin.Events+ dom0 name dom0\0");
        deaf.FinishOutput();
        using EventStream reader = await EventStream.OpenAsync(daemon.Paths.AdminSocket);
        List<RawClient> idle = [];
        for (int i = 0; i < 1000; i++)
        {
            idle.Add(await RawClient.ConnectAsync(daemon.Paths.AdminSocket));
        }

        // Two events a call, each with the value: four times what the daemon keeps for one subscriber.
        string value = new('x', 20_000);
        const int calls = 100;
        int at = 0;
        for (int i = 0; i < calls; i++)
        {
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.feature.Set", "n" + i, "work", value));
            string seen = await reader.ReadUntilAsync($"1\0work\0domain-feature-set:n{i}\0feature\0n{i}\0value\0{value}\0\0", from: at);
            at = seen.Length;
        }

        // What it still gets is what the kernel had for it; then comes the end, not the last event.
        string heard = await deaf.ReadToEndAsync();
        Assert.StartsWith("1\0\0connection-established\0\0", heard, StringComparison.Ordinal);
        Assert.DoesNotContain($"domain-feature-set:n{calls - 1}\0", heard, StringComparison.Ordinal);
        idle.ForEach(c => c.Dispose());
        Assert.True((await daemon.Process.StopAsync()).IsSuccess);
        Assert.Contains("does not read its events: disconnected", await daemon.Process.ReadLogAsync(), StringComparison.Ordinal);
    }
}
