using System.Globalization;
using Qubes.EndToEnd.Hosts;
using Qubes.Linux;

namespace Qubes.EndToEnd;

/// <summary>What the host does to guests beside starting and stopping them, also to those that do not take part.</summary>
[Collection(HostCollection.Name)]
public sealed class ControlTests(RunningHost running)
{
    // What stops and continues a process, whatever it does.
    private const int SIGSTOP = 19;
    private const int SIGCONT = 18;
    private const int ConsoleInUse = 200;

    private ScratchHost Host => running.Host;

    [Fact]
    public async Task A_qube_uses_the_console_of_another()
    {
        Host.AddPolicy("30-console.policy", "admin.vm.Console * mgmt work allow target=@adminvm\n");
        await using (LiveTool console = Host.Open("qvm-run", "--pass-io", "--no-gui", "mgmt", "qrexec-client-vm work admin.vm.Console"))
        {
            // The terminal shows what is typed as it was typed: only the shell's answer has the sum.
            await console.Input.WriteAsync("echo on $(hostname): $((40+2))\n"u8.ToArray(), TestContext.Current.CancellationToken);
            await console.Input.FlushAsync(TestContext.Current.CancellationToken);
            string? line;
            do
            {
                line = await console.Output.ReadLineAsync().WaitAsync(ScratchHost.Patience);
                Assert.NotNull(line);
            }
            while (line.Trim() != "on work: 42");

            (await Host.InQubeAsync("mgmt", "qrexec-client-vm work admin.vm.Console")).Expect(ConsoleInUse);
        }

        // Who hung up has it no more.
        using CancellationTokenSource patience = new(ScratchHost.Patience);
        while ((await Host.InQubeAsync("mgmt", "qrexec-client-vm work admin.vm.Console < /dev/null")).Status == ConsoleInUse)
        {
            patience.Token.ThrowIfCancellationRequested();
        }
    }

    [Fact]
    public async Task A_guest_prepares_for_being_suspended_and_recovers()
    {
        const string Services = """
            mkdir -p /run/qubes-rpc
            for service in Pre Post; do
                printf '%s\n' '#!/bin/sh' "echo $service by \$(id -un) >> /run/suspend.log" > /run/qubes-rpc/qubes.Suspend$service
                chmod +x /run/qubes-rpc/qubes.Suspend$service
            done
            """;
        (await Host.InQubeAsync("work", Services, "root")).Expect();
        (await Host.RunAsync("qubesd-query", "--fail", "--empty", "dom0", "admin.vm.Suspend", "work")).Expect();

        // This guest has nobody who could put it to sleep, so it is paused.
        Assert.Equal("Paused", await Host.StateAsync("work"));
        (await Host.RunAsync("qubesd-query", "--fail", "--empty", "dom0", "admin.vm.Resume", "work")).Expect();
        Assert.Equal("Running", await Host.StateAsync("work"));
        Assert.Equal("Pre by root\nPost by root\n", (await Host.InQubeAsync("work", "cat /run/suspend.log")).Expect().Output);
    }

    [Fact]
    public async Task A_guest_that_hangs_holds_up_only_what_is_done_to_it()
    {
        await running.CreateAsync("hung");
        (await Host.RunAsync("qvm-start", "hung")).Expect();
        ProcessWatch emulator = ProcessWatch.TryOpen(int.Parse(
            await File.ReadAllTextAsync(Path.Combine(Host.Paths.StateDirectory, "libvirt/run/qemu/hung.pid"), TestContext.Current.CancellationToken),
            CultureInfo.InvariantCulture))!;
        emulator.Kill(SIGSTOP);
        Task<ToolResult> pausing = Host.RunAsync("qvm-pause", "hung");
        Assert.Equal("Running", await Host.StateAsync("hung"));
        (await Host.InQubeAsync("work", "true")).Expect();
        (await Host.RunAsync("qvm-pause", "mgmt")).Expect();
        (await Host.RunAsync("qvm-unpause", "mgmt")).Expect();
        Assert.False(pausing.IsCompleted);

        emulator.Kill(SIGCONT);
        (await pausing).Expect();
        Assert.Equal("Paused", await Host.StateAsync("hung"));
        (await Host.RunAsync("qvm-unpause", "hung")).Expect();
        (await Host.InQubeAsync("hung", "true")).Expect();

        // Nobody in the guest listens to the power button any more, and at last the emulator hangs again.
        (await Host.InQubeAsync("hung", "for p in /proc/[0-9]*; do if grep -q power-button $p/cmdline; then kill ${p##*/}; fi; done", "root")).Expect();
        Assert.Equal(0, (await Host.RunAsync("qubesd-query", "--fail", "--empty", "dom0", "admin.vm.Shutdown", "hung")).Status);
        Assert.Equal("Running", await Host.StateAsync("hung"));
        emulator.Kill(SIGSTOP);
        pausing = Host.RunAsync("qvm-pause", "hung");
        (await Host.RunAsync("qvm-kill", "hung")).Expect();
        Assert.Equal("Halted", await Host.StateAsync("hung"));
        Assert.NotEqual(0, (await pausing).Status);
        await emulator.Exited.WaitAsync(ScratchHost.Patience);
        (await Host.RunAsync("qvm-remove", "--force", "hung")).Expect();
    }
}
