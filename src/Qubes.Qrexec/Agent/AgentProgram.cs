using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.CommandLine;
using Qubes.Qrexec.QubesDb;
using Qubes.Qrexec.Services;
using Qubes.Qrexec.Vchan.Broker;
using Qubes.Qrexec.Vchan.Mux;

namespace Qubes.Qrexec.Agent;

/// <summary><c>qrexec-agent</c>: runs in a qube, started once at boot.</summary>
public static class AgentProgram
{
    /// <summary>The name the program is called by.</summary>
    public const string Name = "qrexec-agent";

    private const int UsageStatus = 2;
    private const string AgentSocketOption = "agent-socket";
    private const string ForkServerOption = "fork-server-socket";
    private const string NoForkServerOption = "no-fork-server";

    private static readonly OptionSpec[] Specs =
    [
        new(AgentSocketOption, 'a', HasValue: true),
        new(ForkServerOption, 's', HasValue: true),
        new(NoForkServerOption, 'S'),
        new("help", 'h'),
    ];

    private static readonly TimeSpan CarrierPause = TimeSpan.FromSeconds(1);

    public static async Task<int> RunAsync(string[] arguments)
    {
        QubesPaths paths = new();
        if (ParseOptions(arguments, paths) is not { } options)
        {
            await Console.Error.WriteLineAsync(
                "usage: qrexec-agent [-a|--agent-socket=PATH] [-s|--fork-server-socket=PATTERN] [-S|--no-fork-server]");
            return UsageStatus;
        }

        SystemdNotify notify = SystemdNotify.FromEnvironment();
        using StandardErrorLoggerFactory loggers = new();
        ILogger logger = loggers.CreateLogger(Name);
        using CancellationTokenSource stop = new();
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            stop.Cancel();
        });

        ServiceLookup lookup = new(ServicePaths.FromEnvironment(paths));
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(options.TriggerSocket)!);
            if (GuestVchan.FromEnvironment() is { } sockets)
            {
                using QrexecAgent agent = new(sockets, options, lookup, QrexecLimits.ControlBodyForSmallRings, logger);
                await agent.RunAsync(notify.Ready, stop.Token);
            }
            else
            {
                await RunOnPortAsync(options, paths, lookup, notify, logger, stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            AgentLog.ControlFailed(logger, e.Message);
        }

        return 1;
    }

    // The agent owns the machine's one port: calls and qrexec-client-vm reach other domains through its broker.
    private static async Task RunOnPortAsync(
        AgentOptions options, QubesPaths paths, ServiceLookup lookup, SystemdNotify notify, ILogger logger, CancellationToken cancellationToken)
    {
        await using Stream port = VirtioPort.Open();
        await using MuxLink link = new(MuxRole.Guest, new MuxOptions(), logger);
        using QrexecAgent agent = new(link, options, lookup, QrexecLimits.CommandBody, logger);
        string brokerPath = GuestVchan.BrokerPath(paths);
        Directory.CreateDirectory(Path.GetDirectoryName(brokerPath)!);

        // Who asks for a service need not be root; the policy on the host decides about the qube as a whole. The control port stays the agent's.
        using VchanBroker broker = VchanBroker.Bind(
            link, brokerPath, (UnixFileMode)0b110_110_110, groupId: null, (_, port) => QrexecPorts.IsData(port), logger);
        Task carrying = CarryAsync(link, port, logger, cancellationToken);
        Task brokering = broker.RunAsync(cancellationToken);
        TaskCompletionSource filled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task keeping = KeepDatabaseAsync(link, paths, logger, () => filled.TrySetResult(), cancellationToken);
        await await Task.WhenAny(carrying, brokering, filled.Task).WaitAsync(cancellationToken);

        // Whoever is told that the qube is up shall find its database there.
        Task running = agent.RunAsync(notify.Ready, cancellationToken);
        await await Task.WhenAny(carrying, brokering, keeping, running).WaitAsync(cancellationToken);
    }

    // Calls go on without a database: they are what the trouble would be looked into with.
    private static async Task KeepDatabaseAsync(MuxLink link, QubesPaths paths, ILogger logger, Action ready, CancellationToken cancellationToken)
    {
        try
        {
            await QubesDbService.RunReplicaAsync(link, 0, paths, (UnixFileMode)0b110_110_110, logger, ready, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Net.Sockets.SocketException)
        {
            AgentLog.NoDatabase(logger, e.Message);
            ready();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
    }

    private static async Task CarryAsync(MuxLink link, Stream port, ILogger logger, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await link.RunAsync(port, cancellationToken);
                AgentLog.NoCarrier(logger, "the host has disconnected");
            }
            catch (IOException e)
            {
                AgentLog.NoCarrier(logger, e.Message);
                await Task.Delay(CarrierPause, cancellationToken);
            }
        }
    }

    private static AgentOptions? ParseOptions(string[] arguments, QubesPaths paths)
    {
        AgentOptions options = new()
        {
            TriggerSocket = paths.Under("var/run/qubes/qrexec-agent"),
            ForkServerPattern = paths.Under("var/run/qubes/qrexec-server.%s.sock"),
        };
        try
        {
            (List<(string Name, string Value)> given, List<string> positional) = OptionScanner.Scan(arguments, Specs);
            foreach ((string name, string value) in given)
            {
                switch (name)
                {
                    case AgentSocketOption:
                        options = options with { TriggerSocket = Path.GetFullPath(value) };
                        break;
                    case ForkServerOption:
                        options = options with { ForkServerPattern = value };
                        break;
                    case NoForkServerOption:
                        options = options with { ForkServerPattern = null };
                        break;
                    default:
                        return null;
                }
            }

            return positional.Count == 0 ? options : null;
        }
        catch (UsageException)
        {
            return null;
        }
    }
}
