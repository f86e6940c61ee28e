using System.Runtime.InteropServices;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Services;

namespace Qubes.Qrexec.Agent;

/// <summary>Starts the command of a call as the user this process already is.</summary>
internal static class CallLauncher
{
    private const string PlainShell = "/bin/sh";

    /// <param name="command">What to run.</param>
    /// <param name="account">Who we are.</param>
    /// <param name="isLogin">Shell commands run in the user's login shell; otherwise in a plain one.</param>
    /// <param name="detached">The streams are nobody's.</param>
    /// <param name="lookup">Finds services.</param>
    /// <param name="error">Descriptor 2 of a program that is not detached. Stays the caller's.</param>
    /// <param name="cancellationToken">Gives up connecting to a socket service.</param>
    /// <exception cref="ServiceException">It can not be started.</exception>
    public static async Task<RunningService> StartAsync(
        QrexecCommand command, UserAccount account, bool isLogin, bool detached, ServiceLookup lookup, SafeHandle error,
        CancellationToken cancellationToken)
    {
        if (command.Service is { } call)
        {
            ServiceConfiguration configuration = lookup.LoadConfiguration(call);
            QrexecService service = lookup.FindService(call);
            if (service is ExecutableService executable)
            {
                return StartProgram(ServiceProgram.For(executable, call), argumentZero: null, detached, error);
            }

            return await ServiceLauncher.StartAsync(service, call, configuration, null, cancellationToken);
        }

        string shell = isLogin ? account.Shell : PlainShell;
        ServiceProgram program = new(shell, ["-c", ByteText.Decode(command.Text)], new Dictionary<string, string?>(StringComparer.Ordinal));
        return StartProgram(program, isLogin ? "-" + Path.GetFileName(shell) : Path.GetFileName(shell), detached, error);
    }

    private static RunningService StartProgram(ServiceProgram program, string? argumentZero, bool detached, SafeHandle error)
    {
        using SocketPair input = SocketPair.Create();
        using SocketPair output = SocketPair.Create();
        try
        {
            ChildProcess process = ChildProcess.Start(new ChildProcessOptions
            {
                FileName = program.Path,
                ArgumentZero = argumentZero,
                Arguments = program.Arguments,
                EnvironmentChanges = program.EnvironmentChanges,
                NewSession = detached,
                StandardInput = detached ? null : input.Theirs,
                StandardOutput = detached ? null : output.Theirs,
                StandardError = detached ? null : error,
            });
            return RunningService.FromProcess(input.TakeOurs(), output.TakeOurs(), process, ServiceConfiguration.Default);
        }
        catch (LinuxException e)
        {
            throw ServiceProgram.StartFailure(program.Path, e);
        }
    }
}
