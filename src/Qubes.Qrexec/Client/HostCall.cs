using System.Text;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.IO;
using Qubes.Qrexec.Services;

namespace Qubes.Qrexec.Client;

/// <summary>A call from dom0 to dom0: no daemon and no vchan, the service runs in our place with our own streams.</summary>
internal sealed class HostCall(QrexecClientOptions options, ServiceLookup services)
{
    private const string RequiredUser = "DEFAULT";

    /// <summary>Returns the service's status.</summary>
    /// <exception cref="ServiceException">It can not be run.</exception>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        QrexecCommand? command = QrexecCommand.Parse(Encoding.UTF8.GetBytes(options.Command), hasUser: true);
        if (command is not { User: RequiredUser, Service: { } call } || options.LocalProgram is not null)
        {
            throw ServiceException.Problem("to dom0 itself only DEFAULT:QUBESRPC calls without -l are possible");
        }

        ServiceConfiguration configuration = services.LoadConfiguration(call);
        if (configuration.WaitForSession && !command.NoGui)
        {
            await new SessionWaiter(services).WaitAsync(Environment.UserName, call.Source, StandardError.Handle, cancellation);
        }

        if (services.FindService(call) is not ExecutableService executable)
        {
            throw ServiceException.Problem("from dom0 only services that are programs can be called");
        }

        return await ExecuteAsync(ServiceProgram.For(executable, call), cancellation);
    }

    private static async Task<int> ExecuteAsync(ServiceProgram program, CancellationToken cancellation)
    {
        try
        {
            ChildProcess process = ChildProcess.Start(new ChildProcessOptions
            {
                FileName = program.Path,
                Arguments = program.Arguments,
                EnvironmentChanges = program.EnvironmentChanges,
                StandardInput = new SafeFileHandle(0, ownsHandle: false),
                StandardOutput = new SafeFileHandle(1, ownsHandle: false),
                StandardError = StandardError.Handle,
            });
            ProcessExit exit = await process.Exited.WaitAsync(cancellation);
            return exit.IsSignal ? QrexecExitCode.SignalBase + exit.Code : exit.Code;
        }
        catch (LinuxException e)
        {
            throw ServiceProgram.StartFailure(program.Path, e);
        }
    }
}
