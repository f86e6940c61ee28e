using System.Net.Sockets;
using Qubes.Linux;
using Qubes.Testing;

namespace Qubes.Daemon.Tests;

public sealed class DaemonTests
{
    [Fact]
    public async Task A_new_root_gets_a_store_and_everything_a_host_needs()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        Assert.StartsWith("0\0dom0 class=AdminVM state=Running", await daemon.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        Assert.True(File.Exists(daemon.Paths.StoreFile));
        FileInfo link = new(daemon.Paths.Under("etc/qubes-rpc/admin.vm.List"));
        Assert.Equal("../../run/qubesd.sock", link.LinkTarget);
        Assert.Contains("!include-service admin.vm.List * include/admin-global-ro",
            await File.ReadAllTextAsync(daemon.Paths.Under("etc/qubes/policy.d/90-admin-default.policy")), StringComparison.Ordinal);
        Assert.False(File.Exists(daemon.Paths.Under("etc/qubes-rpc/admin.vm.Create.AdminVM")));
    }

    [Fact]
    public async Task What_was_acknowledged_survives_a_power_cut()
    {
        using ScratchRoot root = new();
        string before;
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await daemon.CreateQubesAsync();
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.property.Set", "memory", "work", "512"));
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.feature.Set", "f", "work", "value"));
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.tag.Set", "t", "work"));
            Assert.Equal("0\0", await daemon.CallAsync("admin.label.Create", "teal", payload: "0x008080"));
            before = await daemon.CallAsync("admin.vm.List");
            await daemon.Process.KillAsync();
        }

        await using RunningDaemon again = await RunningDaemon.StartAsync(root);
        Assert.Equal(before, await again.CallAsync("admin.vm.List"));
        Assert.Equal("0\0default=False type=int 512", await again.CallAsync("admin.vm.property.Get", "memory", "work"));
        Assert.Equal("0\0value", await again.CallAsync("admin.vm.feature.Get", "f", "work"));
        Assert.Equal("0\01", await again.CallAsync("admin.vm.tag.Get", "t", "work"));
        Assert.Equal("0\00x008080", await again.CallAsync("admin.label.Get", "teal"));
    }

    [Fact]
    public async Task SIGTERM_ends_it_cleanly_and_leaves_no_socket()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        using RawClient events = await RawClient.ConnectAsync(daemon.Paths.AdminSocket);
        await events.SendAsync("admin.Events+ dom0 name dom0\0");
        events.FinishOutput();
        Assert.Equal("1\0\0connection-established\0\0", await events.ReadAsync());
        Assert.Equal(new ProcessExit(0, false), await daemon.Process.StopAsync());
        Assert.Equal("", await events.ReadToEndAsync());
        Assert.False(File.Exists(daemon.Paths.AdminSocket));
        Assert.False(File.Exists(daemon.Paths.InternalSocket));
        Assert.False(File.Exists(daemon.Paths.PolicySocket));
    }

    [Fact]
    public async Task A_second_daemon_on_the_same_root_is_refused()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        Assert.Null(await QubesdProcess.TryStartAsync(daemon.Process.Root, faultPoint: null, out Func<Task<string>> log));
        Assert.Contains("is in use by another program", await log(), StringComparison.Ordinal);
        Assert.StartsWith("0\0dom0", await daemon.CallAsync("admin.vm.List"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_roots_do_not_touch_each_other()
    {
        await using RunningDaemon one = await RunningDaemon.StartAsync();
        await using RunningDaemon other = await RunningDaemon.StartAsync();
        await one.CreateQubesAsync();
        Assert.DoesNotContain("work", await other.CallAsync("admin.vm.List"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_life_of_a_qube_is_told_and_done()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        await daemon.CreateQubesAsync();
        using RawClient events = await RawClient.ConnectAsync(daemon.Paths.AdminSocket);
        await events.SendAsync("admin.Events+ dom0 name work\0");
        events.FinishOutput();
        Assert.Equal("1\0\0connection-established\0\0", await events.ReadAsync());

        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        Assert.Contains("state=Running", await daemon.CallAsync("admin.vm.List", destination: "work"), StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        Assert.Equal("2\0QubesVMNotHaltedError\0\0Domain is not powered off: 'work'\0", await daemon.CallAsync("admin.vm.Remove", destination: "work"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Pause", destination: "work"));
        Assert.Contains("state=Paused", await daemon.CallAsync("admin.vm.List", destination: "work"), StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Unpause", destination: "work"));
        Assert.Equal("2\0QubesVMNotPausedError\0\0Domain is not paused: 'work'\0", await daemon.CallAsync("admin.vm.Unpause", destination: "work"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Shutdown", "wait", "work"));
        Assert.Contains("state=Halted", await daemon.CallAsync("admin.vm.List", destination: "work"), StringComparison.Ordinal);
        Assert.Equal("2\0QubesVMNotStartedError\0\0Domain is powered off: 'work'\0", await daemon.CallAsync("admin.vm.Shutdown", destination: "work"));
        Assert.Equal("2\0QubesVMNotStartedError\0\0Domain is powered off: 'work'\0", await daemon.CallAsync("admin.vm.Kill", destination: "work"));

        string told = "";
        string[] expected = ["domain-pre-start", "domain-pre-spawn", "domain-spawn", "domain-start", "domain-pre-shutdown", "domain-stopped", "domain-shutdown"];
        while (!told.Contains("\0domain-shutdown\0", StringComparison.Ordinal))
        {
            told += await events.ReadAsync();
        }

        int at = 0;
        foreach (string name in expected)
        {
            at = told.IndexOf($"1\0work\0{name}\0", at, StringComparison.Ordinal);
            Assert.True(at >= 0, $"{name} is missing or out of order in {told}");
        }

        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Remove", destination: "work"));
        Assert.False(Directory.Exists(daemon.Paths.Under("var/lib/qubes/appvms/work")));
    }

    [Fact]
    public async Task A_template_in_use_and_dom0_stay()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        await daemon.CreateQubesAsync();
        Assert.StartsWith("2\0QubesVMInUseError\0\0Domain is in use: 'debian'", await daemon.CallAsync("admin.vm.Remove", destination: "debian"), StringComparison.Ordinal);
        Assert.Equal("2\0QubesVMInUseError\0\0'dom0' cannot be removed\0", await daemon.CallAsync("admin.vm.Remove"));
        Assert.StartsWith("2\0QubesVMNotHaltedError\0\0Cannot start Dom0", await daemon.CallAsync("admin.vm.Start"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Removing_a_qube_while_it_starts_ends_in_one_of_two_sound_ways()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        await daemon.CreateQubesAsync();
        Task<string> starting = daemon.CallAsync("admin.vm.Start", destination: "work");
        Task<string> removing = daemon.CallAsync("admin.vm.Remove", destination: "work");
        string started = await starting;
        string removed = await removing;
        string list = await daemon.CallAsync("admin.vm.List");
        if (removed == "0\0")
        {
            Assert.StartsWith("2\0QubesVMNotFoundError\0", started, StringComparison.Ordinal);
            Assert.DoesNotContain("work", list, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal("0\0", started);
            Assert.StartsWith("2\0QubesVMNotHaltedError\0", removed, StringComparison.Ordinal);
            Assert.Contains("work class=AppVM state=Running", list, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_restart_finds_the_qubes_that_run_no_more_halted()
    {
        using ScratchRoot root = new();
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await daemon.CreateQubesAsync();
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
            await daemon.Process.KillAsync();
        }

        // The test driver lives in the daemon's own process: with it, the running domain is gone.
        await using RunningDaemon again = await RunningDaemon.StartAsync(root);
        Assert.Contains("work class=AppVM state=Halted", await again.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        Assert.Equal("0\0", await again.CallAsync("admin.vm.Start", destination: "work"));
        Assert.Equal("0\0", await again.CallAsync("admin.vm.Kill", destination: "work"));
        Assert.Equal("0\0", await again.CallAsync("admin.vm.Remove", destination: "work"));
    }

    [Fact]
    public async Task A_stale_socket_of_a_killed_daemon_is_replaced()
    {
        using ScratchRoot root = new();
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await daemon.Process.KillAsync();
            Assert.True(File.Exists(daemon.Paths.AdminSocket));
            await Assert.ThrowsAsync<SocketException>(() => daemon.CallAsync("admin.vm.List"));
        }

        await using RunningDaemon again = await RunningDaemon.StartAsync(root);
        Assert.StartsWith("0\0dom0", await again.CallAsync("admin.vm.List"), StringComparison.Ordinal);
    }
}
