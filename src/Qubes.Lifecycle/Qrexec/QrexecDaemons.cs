using System.Globalization;
using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Daemons;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Qrexec;

/// <summary>The qrexec daemons: ready is one whose guest's agent is connected, if the guest announces one.</summary>
/// <param name="program">The daemon's program.</param>
/// <param name="account">Whom it runs as; null: as we.</param>
internal sealed class QrexecDaemons(string program, QubesPaths paths, DaemonLauncher launcher, DaemonAccount? account = null) : IQubeDaemons
{
    // The daemon keeps the guest's deadline itself; this is for a daemon that hangs.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan StartUp = TimeSpan.FromSeconds(30);

    private const int NoAgentExitStatus = 3;

    public string Title => "qrexec daemon";

    public Task<QubeDaemon> StartAsync(LocalQube qube, bool isFirst, CancellationToken ended) =>
        StartAsync(QrexecDaemonRequest.Of((QubesVM)qube, wait: isFirst), ended);

    public Task<QubeDaemon?> FindAsync(string name) => launcher.FindAsync(paths.QrexecSocket(name));

    public IEnumerable<string> ListServed() => DaemonLauncher.ListServed(paths.QrexecSocket);

    /// <summary>Nothing to do: whoever wants something of it connects for that.</summary>
    public Task ConnectAsync(LocalQube qube, QubeRun run, QubeDaemon daemon, bool isNew) => Task.CompletedTask;

    /// <summary>Starts the daemon and waits until the guest's agent is connected (or, without a timeout, until the daemon serves).</summary>
    /// <param name="ended">The guest is gone: give up.</param>
    /// <exception cref="QubesException">No agent in time, or the daemon failed; it does not run then.</exception>
    internal async Task<QubeDaemon> StartAsync(QrexecDaemonRequest request, CancellationToken ended)
    {
        DaemonCommand command = new(
            program, "qrexec-daemon", ArgumentsOf(request), EnvironmentOf(request), paths.QrexecLog(request.Name),
            request.Timeout is { } timeout ? timeout + Grace : StartUp, NamesOf(request), StartsServices: true);
        DaemonStart start;
        try
        {
            await Task.Run(() => LetConnect(request), CancellationToken.None);
            start = await launcher.StartAsync(command, ended);
        }
        catch (OperationCanceledException)
        {
            throw QubesErrors.VM($"Qube '{request.Name}' has stopped while its qrexec agent was waited for");
        }

        return start.Daemon ?? throw (start.Exit is { } exit ? Failure(request, exit) : NoAgent(request));
    }

    private string[] NamesOf(QrexecDaemonRequest request)
    {
        string id = request.Xid.ToString(CultureInfo.InvariantCulture);
        return
        [
            paths.QrexecSocket(id), paths.QrexecSocket(request.Name), paths.QrexecSocket("uuid:" + request.Uuid.ToString("D")),
            paths.VchanBrokerSocket(id), paths.VchanBrokerSocket(request.Name),
        ];
    }

    /// <summary>The hypervisor's end of the port is its own user's; it is there, in a directory of ours, as long as the machine is.</summary>
    private void LetConnect(QrexecDaemonRequest request)
    {
        string port = paths.VchanPortSocket(request.Name);
        if (FileStatus.Find(port) is not null)
        {
            account?.LetUse(port);
        }
    }

    private List<string> ArgumentsOf(QrexecDaemonRequest request)
    {
        List<string> arguments = ["--foreground", "--ready-fd=3", "--vchan=virtio", "--root=" + paths.Root];
        if (request.IsQuiet)
        {
            arguments.Add("-q");
        }

        arguments.AddRange(
            ["-u", request.Uuid.ToString("D"), "--", request.Xid.ToString(CultureInfo.InvariantCulture), request.Name, request.DefaultUser]);
        return arguments;
    }

    private static Dictionary<string, string?> EnvironmentOf(QrexecDaemonRequest request) => request.Timeout is { } timeout
        ? new() { ["QREXEC_STARTUP_TIMEOUT"] = ((int)timeout.TotalSeconds).ToString(CultureInfo.InvariantCulture), ["QREXEC_STARTUP_NOWAIT"] = null }
        : new() { ["QREXEC_STARTUP_NOWAIT"] = "1", ["QREXEC_STARTUP_TIMEOUT"] = null };

    private QubesException Failure(QrexecDaemonRequest request, ProcessExit exit) => exit is { Code: NoAgentExitStatus, IsSignal: false }
        ? NoAgent(request)
        : QubesErrors.VM($"qrexec-daemon startup failed: {exit}, see {paths.QrexecLog(request.Name)} for details");

    private QubesException NoAgent(QrexecDaemonRequest request) => QubesErrors.VM(string.Create(
        CultureInfo.InvariantCulture,
        $"Cannot connect to qrexec agent for {(request.Timeout ?? StartUp).TotalSeconds:0} seconds, see {paths.GuestConsoleLog(request.Name)} for details"));
}
