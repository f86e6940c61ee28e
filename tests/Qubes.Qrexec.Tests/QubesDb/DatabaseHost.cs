using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Linux;
using Qubes.Qrexec.QubesDb;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Tests.QubesDb;

/// <summary>The host's database of a qube, and at will the qube's copy, joined by socket vchans.</summary>
internal sealed class DatabaseHost : IAsyncDisposable
{
    private const uint Domain = 7;

    private readonly Scratch _scratch = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];
    private CancellationTokenSource? _stopHost;

    private DatabaseHost()
    {
        HostPaths = new QubesPaths(_scratch.Path("h"));
        QubePaths = new QubesPaths(_scratch.Path("q"));
        Vchans = Directory.CreateDirectory(_scratch.Path("v")).FullName;
    }

    public QubesPaths HostPaths { get; }

    public QubesPaths QubePaths { get; }

    public string Vchans { get; }

    /// <summary>The guest's end, for peers that are not ours.</summary>
    public SocketVchanTransport GuestTransport => new(Vchans, Domain);

    public static async Task<DatabaseHost> StartAsync(params string[] options)
    {
        DatabaseHost host = new();
        await host.StartHostAsync(options);
        return host;
    }

    public async Task StartHostAsync(params string[] options)
    {
        QubesDbDaemonOptions parsed = QubesDbDaemonOptions.Parse(["--root=" + HostPaths.Root, .. options, "7", "work"]);
        _stopHost = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        await RunAsync(ready => QubesDbService.RunHostAsync(
            parsed, new SocketVchanTransport(Vchans, 0), NullLogger.Instance, ready, _stopHost.Token));
    }

    /// <summary>As by a restart: what it held is lost.</summary>
    public async Task StopHostAsync()
    {
        await _stopHost!.CancelAsync();
        await _running[0].ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _running.RemoveAt(0);
    }

    /// <summary>When it returns, the qube has received the database.</summary>
    public Task StartQubeAsync() => RunAsync(ready => QubesDbService.RunReplicaAsync(
        GuestTransport, 0, QubePaths, (UnixFileMode)0b110_110_110, NullLogger.Instance, ready, _stop.Token));

    public Task<RawClient> WriterAsync() => RawClient.ConnectAsync(HostPaths.QubesDbSocket("work"));

    public Task<RawClient> ReaderAsync() => RawClient.ConnectAsync(HostPaths.QubesDbReadOnlySocket("work"));

    public Task<RawClient> QubeAsync() => RawClient.ConnectAsync(QubePaths.LocalQubesDbSocket);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await ((Task)Task.WhenAll(_running)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        _stopHost?.Dispose();
        _scratch.Dispose();
    }

    private async Task RunAsync(Func<Action, Task> run)
    {
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task running = Task.Run(() => run(() => ready.TrySetResult()));
        _running.Add(running);
        await await Task.WhenAny(running, ready.Task).WaitAsync(RawClient.Patience);
    }
}
