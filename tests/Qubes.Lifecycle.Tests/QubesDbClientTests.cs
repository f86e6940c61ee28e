using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Daemons;
using Qubes.Lifecycle.QubesDb;
using Qubes.Linux;
using Qubes.Protocol.Errors;
using Qubes.Protocol.QubesDb;
using Qubes.Qrexec.QubesDb;
using Qubes.Qrexec.Vchan;

namespace Qubes.Lifecycle.Tests;

/// <summary>The daemon's connection to a qube's database, with the real server at the other end, and with one that hangs or lies.</summary>
public sealed class QubesDbClientTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = LifecycleFixture.Patience;

    private readonly CancellationTokenSource _stop = new();
    private readonly string _vchans = Directory.CreateTempSubdirectory("qubes-qdb-").FullName;
    private readonly TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LifecycleFixture _fixture = null!;
    private Task _serving = Task.CompletedTask;

    private string SocketPath => _fixture.Paths.QubesDbSocket(_fixture.Work.Name);

    public async ValueTask InitializeAsync()
    {
        _fixture = await LifecycleFixture.StartAsync();
        Directory.CreateDirectory(_fixture.Paths.QubesRunDirectory);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _fixture.DisposeAsync();
        _stop.Dispose();
        Directory.Delete(_vchans, recursive: true);
    }

    [Fact]
    public async Task Requests_made_without_waiting_are_answered_in_their_order()
    {
        await ServeAsync();
        QubesDbClient client = await ConnectAsync();
        client.Write("/a", "1"u8.ToArray());
        Task<byte[]?> first = client.ReadAsync("/a");
        client.Write("/a", "2"u8.ToArray());
        client.Write("/b/c", "3"u8.ToArray());
        Task<byte[]?> second = client.ReadAsync("/a");
        Task<IReadOnlyList<QubesDbEntry>> all = client.ReadAllAsync("/");
        client.Remove("/b/");
        client.Remove("/none");
        Task<IReadOnlyList<string>> left = client.ListAsync("/");
        await client.FlushAsync().WaitAsync(Patience);
        Assert.Equal("1", Text(await first));
        Assert.Equal("2", Text(await second));
        Assert.Equal(["/a 2", "/b/c 3"], (await all).Select(entry => $"{entry.Path} {Encoding.UTF8.GetString(entry.Value)}"));
        Assert.Equal(["/a"], await left);
        Assert.Null(await client.ReadAsync("/none").WaitAsync(Patience));
    }

    [Fact]
    public async Task A_write_that_is_refused_fails_the_next_flush_and_only_that()
    {
        await ServeAsync();
        QubesDbClient client = await ConnectAsync();
        client.Write("/a", "a\0b"u8.ToArray());
        QubesException failure = await Assert.ThrowsAsync<QubesException>(client.FlushAsync).WaitAsync(Patience);
        Assert.Equal("QubesDB refuses /a", failure.Message);
        client.Write("/a", "ab"u8.ToArray());
        await client.FlushAsync().WaitAsync(Patience);
    }

    [Fact]
    public async Task What_the_guest_writes_to_a_watched_path_is_an_event_of_its_qube()
    {
        await ServeAsync();
        QubeRun run = new() { IsLaunched = true };

        // Takes the place of the daemon's process, which is ended when the connection is lost.
        ChildProcess process = ChildProcess.Start(new ChildProcessOptions { FileName = "/bin/sleep", Arguments = ["1000"] });
        await _fixture.OnLoopAsync(async () =>
        {
            _fixture.Work.QubesDb.Watch("/qubes-block-devices");
            QubesDbDaemons daemons = new(
                "", _fixture.Paths, _fixture.Loop, new HostTimeZone("/none"), new DaemonLauncher(TimeProvider.System, NullLogger.Instance), TimeProvider.System,
                NullLogger.Instance);
            await daemons.ConnectAsync(_fixture.Work, run, new QubeDaemon(process), isNew: false);
            await _fixture.Work.QubesDb.FlushAsync();
        });
        Task changed = _fixture.Events.NextAsync(_fixture.Work.Name, "domain-qdb-change:/qubes-block-devices");
        await using IVchan guest = await new SocketVchanTransport(_vchans, 7).ConnectAsync(0, QubesDbPort.Number);
        await guest.WriteAsync(QubesDbHeader.Message(QubesDbMessageType.Write, "/qubes-block-devices", "now"u8));
        await changed;
        await _fixture.OnLoopAsync(async () =>
        {
            Assert.Equal("now", Text(await _fixture.Work.QubesDb.ReadUntrustedAsync("/qubes-block-devices")));
            _fixture.Work.QubesDb.Detach();
        });
        await _stop.CancelAsync();
        await process.Exited.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_daemon_that_hangs_is_given_up_and_keeps_nobody_waiting()
    {
        using UnixListener listener = UnixListener.Bind(SocketPath, (UnixFileMode)0x180);
        QubesDbClient client = await ConnectAsync(new HastyTime());
        using Socket held = await listener.AcceptAsync().AsTask().WaitAsync(Patience);
        client.Write("/a", "1"u8.ToArray());
        await Assert.ThrowsAsync<QubesException>(client.FlushAsync).WaitAsync(Patience);
        await _lost.Task.WaitAsync(Patience);
        await Assert.ThrowsAsync<QubesException>(() => client.ReadAsync("/a")).WaitAsync(Patience);
    }

    [Theory]
    [InlineData(QubesDbMessageType.Ok)]
    [InlineData(QubesDbMessageType.MultiReadAnswer)]
    [InlineData((QubesDbMessageType)99)]
    public async Task A_daemon_that_answers_something_else_is_given_up(QubesDbMessageType type)
    {
        using UnixListener listener = UnixListener.Bind(SocketPath, (UnixFileMode)0x180);
        QubesDbClient client = await ConnectAsync();
        using Socket daemon = await listener.AcceptAsync().AsTask().WaitAsync(Patience);
        Task<byte[]?> reading = client.ReadAsync("/a");
        await daemon.SendAsync(QubesDbHeader.Message(type, "/a"));
        await Assert.ThrowsAsync<QubesException>(() => reading).WaitAsync(Patience);
        await _lost.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task Changes_of_one_path_that_nobody_was_told_of_yet_are_told_once()
    {
        List<string> told = [];
        TaskCompletionSource end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        ChangeReporter reporter = new(
            _fixture.Loop,
            path =>
            {
                told.Add(path);
                if (path == "/end")
                {
                    end.SetResult();
                }
            },
            new HastyTime(),
            NullLogger.Instance);

        // While the loop is held, everything waits.
        await _fixture.OnLoopAsync(() =>
        {
            for (int i = 0; i < 50; i++)
            {
                _ = reporter.ReportAsync("/a");
                _ = reporter.ReportAsync("/b");
            }
        });
        await reporter.ReportAsync("/end").WaitAsync(Patience);
        await end.Task.WaitAsync(Patience);
        string[] seen = await _fixture.OnLoopAsync(() => told.ToArray());
        Assert.InRange(seen.Count(path => path == "/a"), 1, 2);
        Assert.InRange(seen.Count(path => path == "/b"), 1, 2);
    }

    private static string? Text(byte[]? value) => value is null ? null : Encoding.UTF8.GetString(value);

    private async Task ServeAsync()
    {
        QubesDbDaemonOptions options = QubesDbDaemonOptions.Parse(["--root=" + _fixture.Paths.Root, "7", _fixture.Work.Name]);
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _serving = Task.Run(() => QubesDbService.RunHostAsync(
            options, new SocketVchanTransport(_vchans, 0), NullLogger.Instance, ready.SetResult, _stop.Token));
        await await Task.WhenAny(_serving, ready.Task).WaitAsync(Patience);
    }

    private Task<QubesDbClient> ConnectAsync(TimeProvider? time = null) => QubesDbClient.ConnectAsync(
        () => UnixAddress.ConnectAsync(SocketPath), new ChangeReporter(_fixture.Loop, _ => { }, TimeProvider.System, NullLogger.Instance), _lost.SetResult,
        time ?? TimeProvider.System, NullLogger.Instance);

    /// <summary>A clock whose timers fire a hundred times sooner.</summary>
    private sealed class HastyTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new HastyTimer(System.CreateTimer(callback, state, Sooner(dueTime), period));

        private static TimeSpan Sooner(TimeSpan time) => time == Timeout.InfiniteTimeSpan ? time : time / 100;

        private sealed class HastyTimer(ITimer inner) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => inner.Change(Sooner(dueTime), period);

            public void Dispose() => inner.Dispose();

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }
}
