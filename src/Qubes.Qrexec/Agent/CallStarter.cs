using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.IO;
using Qubes.Qrexec.Services;

namespace Qubes.Qrexec.Agent;

/// <summary>
/// Starts what the daemon asks for. Each call runs in a process of its own: it becomes the user, and what goes wrong in it ends that call only.
/// </summary>
internal sealed class CallStarter(AgentOptions options, ServiceLookup lookup, ILogger logger)
{
    private readonly SessionWaiter _sessions = new(lookup);
    private readonly Lock _gate = new();
    private Task? _session;

    /// <summary>Carries out one request; returns when its call has ended.</summary>
    public async Task RunAsync(QrexecMessageType type, ExecRequest request, CancellationToken cancellationToken)
    {
        AgentCallRequest call = new(type, request.Params, 0, "", request.Command);
        QrexecCommand? command = QrexecCommand.Parse(request.Command.Span, hasUser: true);
        ServiceConfiguration configuration = ServiceConfiguration.Default;
        try
        {
            if (command is null)
            {
                throw new ServiceException(QrexecExitCode.Problem, "a command that can not be used");
            }

            if (command.Service is { } service)
            {
                configuration = lookup.LoadConfiguration(service, warning => AgentLog.CallProblem(logger, warning));
            }

            call = call with { User = configuration.ForceUser ?? command.User! };
            if (configuration.WaitForSession && !command.NoGui)
            {
                await WaitForSessionAsync(call.User, command.Service!.Source, cancellationToken);
            }

            if (!command.NoGui && !configuration.HasSocketSettings && await TryForkServerAsync(call, cancellationToken))
            {
                return;
            }
        }
        catch (ServiceException e)
        {
            AgentLog.CallProblem(logger, e.Message);
            call = call with { Failure = e.ExitCode };
        }

        await RunProcessAsync(call, cancellationToken);
    }

    // One helper for all: the session of the qube is there or not.
    private async Task WaitForSessionAsync(string user, string source, CancellationToken cancellationToken)
    {
        Task session;
        lock (_gate)
        {
            session = _session ??= Task.Run(() => _sessions.WaitAsync(user, source, StandardError.Handle, cancellationToken), cancellationToken);
        }

        await session.WaitAsync(cancellationToken);
    }

    // The call then runs in the user's own session; the end of the connection is its end.
    private async Task<bool> TryForkServerAsync(AgentCallRequest call, CancellationToken cancellationToken)
    {
        if (options.ForkServerPattern is null || call.User.Length == 0 || call.User.Contains('/', StringComparison.Ordinal))
        {
            return false;
        }

        string path = options.ForkServerPattern.Replace("%s", call.User, StringComparison.Ordinal);
        if (!File.Exists(path))
        {
            return false;
        }

        Socket socket;
        try
        {
            socket = await UnixAddress.ConnectAsync(path, cancellationToken);
        }
        catch (SocketException)
        {
            return false;
        }

        using (socket)
        {
            ReadOnlyMemory<byte> command = call.Command[(call.Command.Span.IndexOf((byte)':') + 1)..];
            try
            {
                await socket.SendAllAsync(ForkServerRequest.ToBytes(call.Type, call.Target, command.Span), cancellationToken);
                await socket.ReceiveAsync(new byte[1], cancellationToken);
            }
            catch (SocketException e)
            {
                AgentLog.CallProblem(logger, e.Message);
            }
        }

        return true;
    }

    private async Task RunProcessAsync(AgentCallRequest call, CancellationToken cancellationToken)
    {
        using SocketPair pair = SocketPair.Create();
        ChildProcess process = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = Environment.ProcessPath ?? "/proc/self/exe",
            ArgumentZero = "qrexec",
            Arguments = [AgentCallProgram.Name],
            StandardInput = pair.Theirs,
            StandardOutput = StandardError.Handle,
            StandardError = StandardError.Handle,
        });
        using (Socket ours = pair.TakeOurs())
        {
            pair.Dispose();
            try
            {
                await ours.SendAllAsync(call.ToBytes(), cancellationToken);
            }
            catch (SocketException e)
            {
                AgentLog.CallProblem(logger, e.Message);
            }
        }

        ProcessExit exit = await process.Exited.WaitAsync(cancellationToken);
        if (!exit.IsSuccess)
        {
            AgentLog.CallProblem(logger, $"the process of a call ended with {exit}");
        }
    }
}
