namespace Qubes.Daemon.Tests.Crash;

/// <summary>State and logs on a file system that takes no writing, as the kernel leaves it after an error.</summary>
public sealed class ReadOnlyDiskTests
{
    [Fact]
    public async Task On_a_read_only_disk_everything_can_be_read_nothing_changed_and_all_of_it_again_when_it_can_be_written()
    {
        using ScratchRoot root = new();
        string var = Path.Combine(root.Path, "var");
        Directory.CreateDirectory(var);
        await using TemporaryMount mount = await TemporaryMount.CreateAsync(var, "tmpfs", "size=64m");
        await using (QubesdProcess daemon = await QubesdProcess.StartAsync(root))
        {
            await daemon.CallAsync("admin.vm.Create.TemplateVM", payload: "name=tpl label=black");
            await daemon.CallAsync("admin.vm.Create.AppVM", "dom0", "tpl", "name=work label=red");
            await daemon.CallAsync("admin.vm.feature.Set", "work", "x", "before");
            await daemon.CallAsync("admin.vm.firewall.Set", "work", payload: "action=drop comment=before\n");
            await daemon.CallAsync("admin.vm.notes.Set", "work", payload: "before");
            Assert.True((await daemon.StopAsync()).IsSuccess, await daemon.ReadLogAsync());
        }

        await mount.RemountAsync("ro");
        await using (QubesdProcess daemon = await QubesdProcess.StartAsync(root))
        {
            await AssertUnchangedAsync(daemon);
            (string Method, string Destination, string Argument, string Payload)[] changes =
            [
                ("admin.vm.feature.Set", "work", "x", "after"),
                ("admin.vm.feature.Remove", "work", "x", ""),
                ("admin.vm.property.Set", "work", "memory", "300"),
                ("admin.property.Set", "dom0", "stats_interval", "9"),
                ("admin.vm.tag.Set", "work", "t", ""),
                ("admin.label.Create", "dom0", "mine", "0x123456"),
                ("admin.vm.device.block.Assign", "work", "dom0+sda:*", "mode='required'"),
                ("admin.vm.Create.AppVM", "dom0", "tpl", "name=fresh label=red"),
                ("admin.vm.Remove", "work", "", ""),
                ("admin.vm.firewall.Set", "work", "", "action=drop comment=after\n"),
                ("admin.vm.notes.Set", "work", "", "after"),
            ];
            foreach ((string method, string destination, string argument, string payload) in changes)
            {
                AdminAnswer? refused = await daemon.TryCallAsync(method, destination, argument, payload);
                string answer = refused?.ToString() ?? "no answer";
                Assert.True(refused is { IsSuccess: false } && answer.Contains("ead-only file system", StringComparison.Ordinal), $"{method}: {answer}");
                await AssertUnchangedAsync(daemon);
            }

            await mount.RemountAsync("rw");
            foreach ((string method, string destination, string argument, string payload) in changes.Where(c => c.Method != "admin.vm.Remove"))
            {
                await daemon.CallAsync(method, destination, argument, payload);
            }

            Assert.True((await daemon.StopAsync()).IsSuccess, await daemon.ReadLogAsync());
            Assert.Contains("on a read-only file system: nothing can be changed", await daemon.ReadLogAsync(), StringComparison.Ordinal);
        }

        await using QubesdProcess again = await QubesdProcess.StartAsync(root);
        Assert.Equal("default=False type=int 300", await again.CallAsync("admin.vm.property.Get", "work", "memory"));
        Assert.Equal("action=drop comment=after\n", await again.CallAsync("admin.vm.firewall.Get", "work"));
        Assert.Equal("after", await again.CallAsync("admin.vm.notes.Get", "work"));
        Assert.Equal(["dom0", "fresh", "tpl", "work"], (await DaemonCrashScenario.ListAsync(again)).Order(StringComparer.Ordinal));
        Assert.True((await again.StopAsync()).IsSuccess);

        // The log of calls has those too that were made while it could not be written: there was room for them in memory.
        Assert.Empty(AuditLogFiles.Verify(root.Paths).Problems);
        Assert.Contains(AuditLogFiles.Records(root.Paths), r => r is { Call: "admin.vm.Remove", Outcome: not "ok" });
    }

    private static async Task AssertUnchangedAsync(QubesdProcess daemon)
    {
        Assert.Equal("before", await daemon.CallAsync("admin.vm.feature.Get", "work", "x"));
        Assert.Equal("default=True type=int 400", await daemon.CallAsync("admin.vm.property.Get", "work", "memory"));
        Assert.Equal("default=True type=int 3", await daemon.CallAsync("admin.property.Get", "dom0", "stats_interval"));
        Assert.Equal("audiovm-dom0\ncreated-by-dom0\nguivm-dom0\n", await daemon.CallAsync("admin.vm.tag.List", "work"));
        Assert.DoesNotContain("mine", await daemon.CallAsync("admin.label.List"), StringComparison.Ordinal);
        Assert.Equal("", await daemon.CallAsync("admin.vm.device.block.Assigned", "work"));
        Assert.Equal("action=drop comment=before\n", await daemon.CallAsync("admin.vm.firewall.Get", "work"));
        Assert.Equal("before", await daemon.CallAsync("admin.vm.notes.Get", "work"));
        Assert.Equal(["dom0", "tpl", "work"], (await DaemonCrashScenario.ListAsync(daemon)).Order(StringComparer.Ordinal));
    }
}
