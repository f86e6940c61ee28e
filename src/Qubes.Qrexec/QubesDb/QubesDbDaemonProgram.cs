using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Qrexec.Agent;
using Qubes.Qrexec.CommandLine;
using Qubes.Qrexec.Daemon;
using Qubes.Qrexec.IO;
using Qubes.Qrexec.Vchan;
using Qubes.Qrexec.Vchan.Broker;

namespace Qubes.Qrexec.QubesDb;

/// <summary>The program qubesdb-daemon.</summary>
public static class QubesDbDaemonProgram
{
    /// <summary>The name under which the multi-call program runs it.</summary>
    public const string Name = "qubesdb-daemon";

    private const int Failed = 1;

    /// <summary>Runs the program and returns its exit status.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        try
        {
            QubesDbDaemonOptions options = QubesDbDaemonOptions.Parse(arguments);
            SystemdNotify notify = SystemdNotify.FromEnvironment();
            return options.Foreground || notify.IsEnabled
                ? await RunInForegroundAsync(options, notify)
                : await BackgroundStart.RunAsync(Name, options.Paths.QubesDbLog(options.QubeName ?? "local"), arguments, waitingFor: null);
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync(e.Message.Length > 0 ? $"{Name}: {e.Message}\n{QubesDbDaemonOptions.Usage}" : QubesDbDaemonOptions.Usage);
            return Failed;
        }
    }

    private static async Task<int> RunInForegroundAsync(QubesDbDaemonOptions options, SystemdNotify notify)
    {
        ProcessPrivacy.Seal();
        using CancellationTokenSource stop = new();
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using StandardErrorLoggerFactory logging = new();
        ILogger log = logging.CreateLogger(Name);
        try
        {
            await (options.IsReplica
                ? QubesDbService.RunReplicaAsync(
                    ReplicaTransport(), options.DomainId, options.Paths, options.WriterMode, log, TellReady, stop.Token)
                : QubesDbService.RunHostAsync(options, HostTransport(options), log, TellReady, stop.Token));
            return Failed;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException)
        {
            log.LogError("{Reason}", e.Message);
            return Failed;
        }

        void TellReady()
        {
            Readiness.Tell(options.ReadyDescriptor);
            notify.Ready();
        }

        void OnSignal(PosixSignalContext context)
        {
            // The daemon ends by itself, removing its sockets; the runtime shall not end it before.
            context.Cancel = true;
            stop.Cancel();
        }
    }

    // The one port of a KVM guest belongs to its agent, which keeps the copy of the database itself.
    private static SocketVchanTransport ReplicaTransport() => GuestVchan.FromEnvironment()
        ?? throw new UsageException("in a qube with a virtio-serial port, qrexec-agent keeps the database");

    private static IVchanTransport? HostTransport(QubesDbDaemonOptions options) =>
        options.IsHosts ? null
        : options.Transport == GuestTransport.Socket ? new SocketVchanTransport(DaemonOptions.SocketDirectoryFromEnvironment, ownDomain: 0)
        : BrokerVchanTransport.ForHost(options.Paths, ownDomain: 0);
}
