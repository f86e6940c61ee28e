using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Data;
using Qubes.Qrexec.Services;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Agent;

/// <summary>
/// The process of one call inside a qube; started by the agent only, with an <see cref="AgentCallRequest"/> on descriptor 0. It connects to the caller, becomes the user
/// and then runs the service, so that everything of the call has the user's rights and the service may signal it (SIGUSR1).
/// </summary>
public static class AgentCallProgram
{
    /// <summary>The first argument that selects it.</summary>
    public const string Name = "qrexec-agent-call";

    private const int SigUsr1 = 10;
    private const string AgentPidVariable = "QREXEC_AGENT_PID";

    // How long a caller may take to listen, as upstream's agents wait.
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(120);

    public static async Task<int> RunAsync()
    {
        using StandardErrorLoggerFactory loggers = new();
        ILogger logger = loggers.CreateLogger(Name);
        try
        {
            AgentCallRequest request = AgentCallRequest.Read(Console.OpenStandardInput());
            using CancellationTokenSource patience = new(ConnectPatience);
            QubesPaths paths = new();
            IVchan vchan = await GuestVchan.ForClients(paths).ConnectAsync(request.Target.Domain, request.Target.Port, patience.Token);
            await using DataLink link = await HandshakeAsync(vchan, patience.Token);
            await ServeAsync(request, link, paths, logger);
            return 0;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            AgentLog.CallProblem(logger, e.Message);
            return 1;
        }
    }

    private static async Task<DataLink> HandshakeAsync(IVchan vchan, CancellationToken cancellationToken)
    {
        try
        {
            return await DataLink.HandshakeAsync(vchan, writeFirst: true, cancellationToken);
        }
        catch
        {
            await vchan.DisposeAsync();
            throw;
        }
    }

    private static async Task ServeAsync(AgentCallRequest request, DataLink link, QubesPaths paths, ILogger logger)
    {
        bool detached = request.Type == QrexecMessageType.JustExec;
        TaskCompletionSource singleSocket = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using PosixSignalRegistration signal = PosixSignalRegistration.Create((PosixSignal)SigUsr1, context =>
        {
            context.Cancel = true;
            singleSocket.TrySetResult();
        });
        using AnonymousPipe errorPipe = AnonymousPipe.Create();
        RunningService? service = null;
        try
        {
            if (request.Failure != 0)
            {
                throw new ServiceException(request.Failure, "not started");
            }

            Environment.SetEnvironmentVariable(AgentPidVariable, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            QrexecCommand command = QrexecCommand.Parse(request.Command.Span, hasUser: true)
                ?? throw new ServiceException(QrexecExitCode.Problem, "a command that can not be used");
            UserAccount account = Become(request.User, out bool isLogin);
            service = await CallLauncher.StartAsync(
                command, account, isLogin, detached, new ServiceLookup(ServicePaths.FromEnvironment(paths)), errorPipe.Writer, CancellationToken.None);
        }
        catch (ServiceException e)
        {
            AgentLog.CallProblem(logger, e.Message);
            await ReportFailureAsync(link, detached, e.ExitCode);
            return;
        }

        errorPipe.Writer.Dispose();
        using (service)
        {
            if (detached)
            {
                await link.SendExitCodeAsync(0, CancellationToken.None);
                return;
            }

            await using Stream errors = errorPipe.OpenReader();
            LocalPipe? error = service.Process is null ? null : new LocalPipe(errors);
            await ServiceEnd.RunAsync(link, ServiceEnd.StreamsOf(service, error, singleSocket.Task), CancellationToken.None);
        }
    }

    private static async Task ReportFailureAsync(DataLink link, bool detached, int exitCode)
    {
        if (detached)
        {
            await link.SendExitCodeAsync(exitCode, CancellationToken.None);
        }
        else
        {
            await ServiceEnd.SendFailureAsync(link, exitCode, CancellationToken.None);
        }
    }

    // Root becomes the user. Anybody else can only be who they are.
    private static UserAccount Become(string name, out bool isLogin)
    {
        isLogin = UserAccount.IsRoot;
        if (!isLogin)
        {
            return UserAccount.Current() is { } own && own.Name == name
                ? own
                : throw new ServiceException(QrexecExitCode.Problem, "only the agent's own user can run commands here");
        }

        UserAccount account = UserAccount.Find(name) ?? throw new ServiceException(QrexecExitCode.Problem, $"no user '{LogText.Escape(name)}'");
        try
        {
            account.Become();
        }
        catch (LinuxException e)
        {
            throw new ServiceException(QrexecExitCode.Problem, e.Message, e);
        }

        foreach ((string variable, string? value) in account.Variables)
        {
            Environment.SetEnvironmentVariable(variable, value);
        }

        if (Directory.Exists(account.Home))
        {
            try
            {
                Environment.CurrentDirectory = account.Home;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A home that can not be entered does not keep the command from running.
            }
        }

        return account;
    }
}
