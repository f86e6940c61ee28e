namespace Qubes.Daemon.Tests.Extensions;

/// <summary>While an extension thinks about a change, nothing of it is durable, whatever else is saved.</summary>
public sealed class PendingAnswerTests
{
    private const string Assignment = "device_id='*' port_id='sdx' devclass='block' backend_domain='dom0' mode='auto-attach' frontend_domain='work'";

    [Theory]
    [InlineData("device-assign:block", "admin.vm.device.block.Assign", "dom0+sdx", Assignment, "admin.vm.device.block.Assigned", "0\0")]
    public async Task A_crash_leaves_nothing_of_a_change_that_waits_for_an_answer(
        string question, string method, string argument, string payload, string list, string? before)
    {
        using ScratchRoot root = new();
        root.AddScripted("slow", new
        {
            initialize = new { subscriptions = new[] { new { @event = question, mode = "call" } } },
            answers = new Dictionary<string, object> { [question] = "tell and keep silent" },
        }, "deadline = 30000");
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await daemon.CreateQubesAsync();
            string destination = method.Contains(".vm.", StringComparison.Ordinal) ? "work" : "dom0";
            before ??= await daemon.CallAsync(list, destination: destination);
            using EventStream events = await EventStream.OpenAsync(daemon.Paths.AdminSocket);
            Task<string> waiting = daemon.CallAsync(method, argument, destination, payload);
            await events.ReadUntilAsync("ext-asked\0\0");
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.feature.Set", "seen", "work", "1"));
            Assert.Equal("0\0", await daemon.CallAsync("admin.property.Set", "stats_interval", payload: "7"));
            Assert.False(waiting.IsCompleted);
            await daemon.Process.KillAsync();
            Assert.Equal("", await waiting);
        }

        File.Delete(Path.Combine(root.Paths.ExtensionsDirectory, "slow.conf"));
        await using RunningDaemon again = await RunningDaemon.StartAsync(root);
        Assert.Equal("0\01", await again.CallAsync("admin.vm.feature.Get", "seen", "work"));
        Assert.Equal("0\0default=False type=int 7", await again.CallAsync("admin.property.Get", "stats_interval"));
        Assert.Equal(before, await again.CallAsync(list, destination: list.Contains(".vm.", StringComparison.Ordinal) ? "work" : "dom0"));
    }
}
