using System.Net.Sockets;
using Qubes.EndToEnd.Hosts;

namespace Qubes.EndToEnd;

/// <summary>The life of real guests: pause, sudden death, restarts of the daemon, removal.</summary>
[Collection(HostCollection.Name)]
public sealed class LifeTests(RunningHost running)
{
    [Fact]
    public async Task A_paused_qube_does_not_run_and_goes_on_where_it_was()
    {
        ScratchHost host = running.Host;
        (await host.RunAsync("qvm-pause", "work")).Expect();
        Assert.Equal("Paused", await host.StateAsync("work"));
        (await host.RunAsync("qvm-unpause", "work")).Expect();
        Assert.Equal("Running", await host.StateAsync("work"));
        (await host.InQubeAsync("work", "true")).Expect();
    }

    [Fact]
    public async Task A_guest_that_is_killed_ends_its_calls_and_can_be_started_again()
    {
        ScratchHost host = running.Host;
        await running.CreateAsync("victim");
        (await host.RunAsync("qvm-start", "victim")).Expect();
        await using (LiveTool call = host.Open("qvm-run", "--pass-io", "--no-gui", "victim", "echo ready; sleep 1000"))
        {
            Assert.Equal("ready", await call.Output.ReadLineAsync().WaitAsync(ScratchHost.Patience));
            (await host.RunAsync("qvm-kill", "victim")).Expect();
            Assert.NotEqual(0, await call.StatusAsync(ScratchHost.Patience));
        }

        Assert.Equal("Halted", await host.StateAsync("victim"));
        (await host.RunAsync("qvm-start", "victim")).Expect();
        (await host.InQubeAsync("victim", "true")).Expect();
        (await host.RunAsync("qvm-kill", "victim")).Expect();
        (await host.RunAsync("qvm-remove", "--force", "victim")).Expect();
    }

    [Fact]
    public async Task A_qube_that_powers_off_by_itself_is_halted()
    {
        ScratchHost host = running.Host;
        await running.CreateAsync("leaving");

        // As at boot, which finds it by the link that its property makes.
        (await host.RunAsync("qvm-prefs", "leaving", "autostart", "True")).Expect();
        FileInfo wanted = new(Path.Combine(host.Root, "etc/systemd/system/multi-user.target.wants/qubes-vm@leaving.service"));
        string unit = Path.GetFileName(wanted.LinkTarget!);
        (await UnitFile.RunAsync(host, unit, "ExecStart", "leaving")).Expect();
        Assert.Equal("Running", await host.StateAsync("leaving"));
        (await UnitFile.RunAsync(host, unit, "ExecStart", "leaving")).Expect();
        await host.InQubeAsync("leaving", "poweroff", "root");
        (await host.RunAsync("qvm-shutdown", "--wait", "leaving")).Expect();
        Assert.Equal("Halted", await host.StateAsync("leaving"));
        (await host.RunAsync("qvm-remove", "--force", "leaving")).Expect();
        wanted.Refresh();
        Assert.Null(wanted.LinkTarget);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_restarted_daemon_finds_its_guests(bool crashes)
    {
        ScratchHost host = running.Host;
        string boot = (await host.InQubeAsync("work", "cat /proc/sys/kernel/random/boot_id")).Expect().Output;
        if (crashes)
        {
            await host.KillDaemonAsync();
        }
        else
        {
            Assert.Equal(0, await host.StopDaemonAsync());
        }

        await host.StartDaemonAsync();
        Assert.Equal("Running", await host.StateAsync("work"));
        Assert.Equal(boot, (await host.InQubeAsync("work", "cat /proc/sys/kernel/random/boot_id")).Expect().Output);
    }

    [Fact]
    public async Task A_guest_that_ends_while_the_daemon_is_down_leaves_nothing_behind()
    {
        ScratchHost host = running.Host;
        await running.CreateAsync("orphan");
        (await host.RunAsync("qvm-start", "orphan")).Expect();
        Assert.Equal(0, await host.StopDaemonAsync());
        await using LiveTool call = host.Open("qrexec-client", "-d", "orphan", "root:echo ready; poweroff -f");
        try
        {
            Assert.Equal("ready", await call.Output.ReadLineAsync().WaitAsync(ScratchHost.Patience));
        }
        finally
        {
            await host.StartDaemonAsync();
        }

        (await host.RunAsync("qvm-shutdown", "--wait", "orphan")).Expect();
        Assert.NotEqual(0, await call.StatusAsync(ScratchHost.Patience));
        Assert.Equal("Halted", await host.StateAsync("orphan"));
        using Socket daemon = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await Assert.ThrowsAnyAsync<SocketException>(() =>
            daemon.ConnectAsync(new UnixDomainSocketEndPoint(host.Paths.QrexecSocket("orphan"))));
        (await host.RunAsync("qvm-remove", "--force", "orphan")).Expect();
    }

    [Fact]
    public async Task A_qube_that_does_not_exist_cannot_be_started()
    {
        ScratchHost host = running.Host;
        await running.CreateAsync("gone");
        (await host.RunAsync("qvm-remove", "--force", "gone")).Expect();
        ToolResult result = await host.RunAsync("qvm-start", "gone");
        Assert.NotEqual(0, result.Status);
        Assert.Contains("gone", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_running_qube_cannot_be_removed()
    {
        Assert.NotEqual(0, (await running.Host.RunAsync("qvm-remove", "--force", "work")).Status);
        (await running.Host.InQubeAsync("work", "true")).Expect();
    }
}
