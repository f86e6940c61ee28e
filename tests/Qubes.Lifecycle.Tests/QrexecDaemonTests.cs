using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Daemons;
using Qubes.Lifecycle.Qrexec;
using Qubes.Linux;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Tests;

/// <summary>Starting qrexec daemons, with scripts in the place of the program: what it says, how it ends, when it hangs.</summary>
public sealed class QrexecDaemonTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly QrexecDaemonRequest Request =
        new("work", Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), 7, "user", IsQuiet: true, TimeSpan.FromSeconds(5));

    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-qrexec-").FullName;
    private readonly QubesPaths _paths;

    public QrexecDaemonTests() => _paths = new QubesPaths(_directory);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_daemon_that_is_ready_runs_with_the_arguments_of_its_qube()
    {
        string said = Path.Combine(_directory, "arguments");
        QubeDaemon daemon = await Daemons($"echo \"$QREXEC_STARTUP_TIMEOUT $*\" > '{said}'; echo READY >&3; exec sleep 1000")
            .StartAsync(Request, CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(
            $"5 --foreground --ready-fd=3 --vchan=virtio --root={_directory} -q -u {Request.Uuid} -- 7 work user", File.ReadAllText(said).Trim());
        Assert.False(daemon.Exited.IsCompleted);
        await daemon.StopAsync(TimeProvider.System).WaitAsync(Patience);
        Assert.True(daemon.Exited.IsCompleted);
    }

    [Fact]
    public async Task Without_an_agent_the_caller_is_told_how_long_was_waited()
    {
        QubesException failed = await FailAsync("exit 3");
        Assert.Equal($"Cannot connect to qrexec agent for 5 seconds, see {_paths.GuestConsoleLog("work")} for details", failed.Message);
    }

    [Theory]
    [InlineData("exit 1", "exit status 1")]
    [InlineData("kill -KILL $$", "killed by signal 9")]
    public async Task A_daemon_that_fails_is_reported_with_how_it_ended(string script, string end)
    {
        QubesException failed = await FailAsync(script);
        Assert.StartsWith("qrexec-daemon startup failed: " + end, failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_the_guest_stops_the_wait_ends_and_the_daemon_with_it()
    {
        string id = Path.Combine(_directory, "id");
        using CancellationTokenSource ended = new();
        using UnixListener started = UnixListener.Bind(Path.Combine(_directory, "started"), (UnixFileMode)0x180);
        Task start = Daemons($"echo $$ > '{id}'; {Connect("started")}; exec sleep 1000").StartAsync(Request, ended.Token);
        using Socket connection = await started.AcceptAsync().AsTask().WaitAsync(Patience);
        await ended.CancelAsync();
        await Assert.ThrowsAsync<QubesException>(() => start).WaitAsync(Patience);
        await EndedAsync(id);
    }

    [Fact]
    public async Task The_daemon_of_an_earlier_run_is_found_by_the_socket_it_serves()
    {
        Assert.Null(await Daemons("exit 0").FindAsync("work"));
        Directory.CreateDirectory(_paths.QubesRunDirectory);
        using UnixListener served = UnixListener.Bind(_paths.QrexecSocket("work"), (UnixFileMode)0x180);
        QubeDaemon? found = await Daemons("exit 0").FindAsync("work");
        Assert.Equal(Environment.ProcessId, found?.Id);
    }

    [Fact]
    public async Task A_restart_under_way_ends_with_our_own_stop()
    {
        string once = Path.Combine(_directory, "once");
        string id = Path.Combine(_directory, "id");
        using UnixListener restarted = UnixListener.Bind(Path.Combine(_directory, "restarted"), (UnixFileMode)0x180);
        await using LifecycleFixture fixture = await LifecycleFixture.StartAsync();
        using CancellationTokenSource stopping = new();
        QubeRun run = new() { IsLaunched = true };
        QrexecDaemons daemons = Daemons($"if mkdir '{once}'; then echo READY >&3; exit 0; fi; echo $$ > '{id}'; {Connect("restarted")}; exec sleep 1000");
        DaemonSupervisor supervisor = new(daemons, TimeProvider.System, NullLogger.Instance, stopping.Token);
        await fixture.OnLoopAsync(() => supervisor.StartAsync(fixture.Work, run));

        using Socket connection = await restarted.AcceptAsync().AsTask().WaitAsync(Patience);
        await stopping.CancelAsync();
        await EndedAsync(id);
        Assert.True(run.IsAlive);
        run.End();
    }

    private static string Connect(string name) => $"perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Peer => shift)' \"$(dirname \"$0\")/{name}\"";

    private static async Task EndedAsync(string idFile)
    {
        if (ProcessWatch.TryOpen(int.Parse(File.ReadAllText(idFile), CultureInfo.InvariantCulture)) is { } daemon)
        {
            await daemon.Exited.WaitAsync(Patience);
        }
    }

    private async Task<QubesException> FailAsync(string script) =>
        await Assert.ThrowsAsync<QubesException>(() => Daemons(script).StartAsync(Request, CancellationToken.None)).WaitAsync(Patience);

    private QrexecDaemons Daemons(string script)
    {
        string program = Path.Combine(_directory, "daemon");
        AtomicFile.Write(program, System.Text.Encoding.UTF8.GetBytes($"#!/bin/sh\n{script}\n"), (UnixFileMode)0x1C0 /* 0700 */);
        return new QrexecDaemons(program, _paths, new DaemonLauncher(TimeProvider.System, NullLogger.Instance));
    }
}
