using System.Globalization;
using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Daemons;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.QubesDb;

/// <summary>The QubesDB daemons: connected, and filled, when they are new, before anything else uses them.</summary>
/// <param name="program">The daemon's program.</param>
internal sealed class QubesDbDaemons(string program, QubesPaths paths, ModelLoop loop, HostTimeZone timeZone, DaemonLauncher launcher, TimeProvider time, ILogger log)
    : IQubeDaemons
{
    private const int HostDomain = 0;
    private static readonly TimeSpan StartUp = TimeSpan.FromSeconds(30);

    public string Title => "QubesDB daemon";

    public async Task<QubeDaemon> StartAsync(LocalQube qube, bool isFirst, CancellationToken ended)
    {
        int xid = qube is QubesVM vm ? vm.Runtime.Xid : HostDomain;
        DaemonCommand command = new(
            program, "qubesdb-daemon",
            ["--foreground", "--ready-fd=3", "--vchan=virtio", "--root=" + paths.Root, "--", xid.ToString(CultureInfo.InvariantCulture), qube.Name],
            new Dictionary<string, string?> { ["NOTIFY_SOCKET"] = null }, paths.QubesDbLog(qube.Name), StartUp,
            NamesOf(qube), StartsServices: false);
        try
        {
            DaemonStart start = await launcher.StartAsync(command, ended);
            return start.Daemon ?? throw Failure($"{start.Exit?.ToString() ?? "it took too long"}, see {command.LogPath} for details");
        }
        catch (OperationCanceledException)
        {
            throw QubesErrors.VM("qubesdb not connected, VM was killed in the meantime");
        }
        catch (LinuxException e)
        {
            throw Failure(e.Message);
        }
    }

    public Task<QubeDaemon?> FindAsync(string name) => launcher.FindAsync(paths.QubesDbSocket(name));

    public IEnumerable<string> ListServed() => DaemonLauncher.ListServed(paths.QubesDbSocket);

    public async Task ConnectAsync(LocalQube qube, QubeRun run, QubeDaemon daemon, bool isNew)
    {
        QubesDbClient? client = null;
        ChangeReporter changes = new(loop, path => TellChange(path), time, log);

        // A daemon that does not answer is no use to anyone: its end brings another one.
        client = await QubesDbClient.ConnectAsync(() => launcher.ConnectAsync(paths.QubesDbSocket(qube.Name)), changes, daemon.Kill, time, log);
        if (run.HasEnded)
        {
            throw Failure("the qube has stopped");
        }

        qube.QubesDb.Attach(client);
        if (isNew && qube is QubesVM vm)
        {
            QubesDbEntries.Write(vm, await timeZone.LookAsync());
            await vm.QubesDb.FlushAsync();
        }

        void TellChange(string path)
        {
            if (client is not null && qube.QubesDb.IsAttachedTo(client))
            {
                qube.QubesDb.TellChange(path);
            }
        }
    }

    private string[] NamesOf(LocalQube qube)
    {
        string[] own = [paths.QubesDbSocket(qube.Name), paths.QubesDbReadOnlySocket(qube.Name), paths.QubesDbPidFile(qube.Name)];
        return qube is QubesVM ? own : [.. own, paths.LocalQubesDbSocket, paths.LocalQubesDbReadOnlySocket];
    }

    private static QubesException Failure(string reason) => QubesErrors.VM($"Cannot execute qubesdb-daemon: {reason}");
}
