using System.Globalization;
using Qubes.EndToEnd.Hosts;
using Qubes.Linux;

namespace Qubes.EndToEnd;

/// <summary>QubesDB between the host and real guests: keys, changes both ways, watches, and a daemon that dies.</summary>
[Collection(HostCollection.Name)]
public sealed class QubesDbTests(RunningHost running)
{
    [Fact]
    public async Task A_guest_reads_what_it_is_and_takes_its_name()
    {
        ScratchHost host = running.Host;
        Assert.Equal("work\n", (await host.InQubeAsync("work", "qubesdb-read /name")).Expect().Output);
        Assert.Equal("AppVM\nminimal\nrw-only\n", (await host.InQubeAsync("work", "qubesdb-read /type /qubes-base-template /qubes-vm-persistence")).Expect().Output);
        (await host.InQubeAsync("work", "qubesdb-read /nothing-there")).Expect(2);

        // Set in the background of the boot.
        (await host.InQubeAsync("work", "until [ \"$(hostname)\" = work ]; do sleep 0.1; done")).Expect();
    }

    [Fact]
    public async Task What_the_host_writes_is_told_to_a_watcher_inside()
    {
        ScratchHost host = running.Host;
        await using LiveTool inside = host.Open(
            "qvm-run", "--pass-io", "--no-gui", "work", "qubesdb-watch -n -1 /from-host/ & qubesdb-read -w /from-host/first && wait");
        (await host.RunAsync("qubesdb-write", "-d", "work", "/from-host/first", "1")).Expect();

        // The watch may be made after any of these changes: they go on until it tells of one.
        using CancellationTokenSource patience = new(ScratchHost.Patience);
        Task<string?> line;
        do
        {
            line = inside.Output.ReadLineAsync();
            while (!line.IsCompleted)
            {
                Assert.False(patience.IsCancellationRequested, "no change was told inside");
                (await host.RunAsync("qubesdb-write", "-d", "work", "/from-host/second", "2")).Expect();
            }
        }
        while (await line != "/from-host/second");

        Assert.Equal("2\n", (await host.InQubeAsync("work", "qubesdb-read /from-host/second")).Expect().Output);
        (await host.RunAsync("qubesdb-rm", "-d", "work", "/from-host/")).Expect();
        do
        {
            line = inside.Output.ReadLineAsync();
        }
        while (await line.WaitAsync(ScratchHost.Patience) != "/from-host/");

        Assert.Equal("", (await host.InQubeAsync("work", "qubesdb-list /from-host/")).Expect().Output);
    }

    [Fact]
    public async Task What_the_guest_writes_is_told_to_a_watcher_on_the_host()
    {
        ScratchHost host = running.Host;
        await using LiveTool watch = host.Open("qubesdb-watch", "-d", "work", "-n", "-1", "/from-guest");
        Task<string?> line = watch.Output.ReadLineAsync();
        do
        {
            // The watch is there once it tells of something.
            (await host.RunAsync("qubesdb-write", "-d", "work", "/from-guest", "not yet")).Expect();
        }
        while (await Task.WhenAny(line, host.RunAsync("qubesdb-read", "-d", "work", "/from-guest")) != line);

        (await host.InQubeAsync("work", "qubesdb-write /from-guest yes")).Expect();
        Assert.Equal("/from-guest", await watch.Output.ReadLineAsync().WaitAsync(ScratchHost.Patience));
        (await host.InQubeAsync("work", "qubesdb-read /from-guest")).Expect();
        Assert.Equal("yes\n", (await host.RunAsync("qubesdb-read", "-d", "work", "/from-guest")).Expect().Output);
    }

    [Fact]
    public async Task A_daemon_that_is_killed_is_replaced_and_filled_again_by_both_sides()
    {
        ScratchHost host = running.Host;
        (await host.InQubeAsync("work", "qubesdb-write /only/from-guest kept")).Expect();
        int first = await DaemonOfAsync(host, "work");
        ProcessWatch daemon = ProcessWatch.TryOpen(first)!;
        await using HostEvents events = await HostEvents.OpenAsync(host, "work");
        daemon.Kill();
        await daemon.Exited.WaitAsync(ScratchHost.Patience);
        await events.NextAsync("domain-qdb-create");
        Assert.NotEqual(first, await DaemonOfAsync(host, "work"));
        Assert.Equal("work\n", (await host.RunAsync("qubesdb-read", "-d", "work", "-w", "/name")).Expect().Output);
        Assert.Equal("kept\n", (await host.RunAsync("qubesdb-read", "-d", "work", "-w", "/only/from-guest")).Expect().Output);

        // And the two go on together.
        (await host.RunAsync("qubesdb-write", "-d", "work", "/after", "death")).Expect();
        Assert.Equal("death\n", (await host.InQubeAsync("work", "qubesdb-read -w /after")).Expect().Output);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_restarted_qubesd_takes_the_databases_over_as_they_are(bool crashes)
    {
        ScratchHost host = running.Host;
        int daemon = await DaemonOfAsync(host, "work");
        string seed = (await host.RunAsync("qubesdb-read", "-d", "work", "/qubes-random-seed")).Expect().Output;
        if (crashes)
        {
            await host.KillDaemonAsync();
        }
        else
        {
            Assert.Equal(0, await host.StopDaemonAsync());
        }

        await host.StartDaemonAsync();
        Assert.Equal(daemon, await DaemonOfAsync(host, "work"));
        Assert.Equal(seed, (await host.RunAsync("qubesdb-read", "-d", "work", "/qubes-random-seed")).Expect().Output);
    }

    [Fact]
    public async Task The_database_ends_with_its_qube()
    {
        ScratchHost host = running.Host;
        await running.CreateAsync("brief");
        (await host.RunAsync("qvm-start", "brief")).Expect();
        ProcessWatch daemon = ProcessWatch.TryOpen(await DaemonOfAsync(host, "brief"))!;
        (await host.RunAsync("qvm-kill", "brief")).Expect();
        await daemon.Exited.WaitAsync(ScratchHost.Patience);
        Assert.False(File.Exists(host.Paths.QubesDbSocket("brief")));
        (await host.RunAsync("qvm-remove", "--force", "brief")).Expect();
    }

    [Fact]
    public async Task The_host_has_a_database_of_its_own()
    {
        ScratchHost host = running.Host;
        (await host.RunAsync("qubesdb-write", "/own", "1")).Expect();
        Assert.Equal("1\n", (await host.RunAsync("qubesdb-read", "-d", "dom0", "/own")).Expect().Output);
    }

    private static async Task<int> DaemonOfAsync(ScratchHost host, string qube) =>
        int.Parse(await File.ReadAllTextAsync(host.Paths.QubesDbPidFile(qube)), CultureInfo.InvariantCulture);
}
