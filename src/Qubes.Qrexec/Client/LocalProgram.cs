using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Data;
using Qubes.Qrexec.IO;
using Qubes.Qrexec.Services;

namespace Qubes.Qrexec.Client;

/// <summary>The program (or service) that <c>-l</c> connects to a call in place of our own input and output.</summary>
internal sealed class LocalProgram : IDisposable
{
    private const string Shell = "/bin/bash";
    private readonly RunningService _running;

    private LocalProgram(RunningService running) => _running = running;

    /// <summary>Its streams as those of a caller.</summary>
    /// <param name="error">Where the remote error output goes.</param>
    public CallerStreams StreamsWith(ILocalSink error) => new()
    {
        Output = new LocalSocket(_running.Input),
        Input = new LocalSocket(_running.Output),
        Error = error,
        Process = _running.Process is null ? null : _running.ExitStatus,
    };

    /// <summary>Starts it.</summary>
    /// <param name="command"><c>QUBESRPC ...</c>, or a command of the shell as whoever runs this program wrote it.</param>
    /// <param name="remote">The qube at the other end.</param>
    /// <exception cref="ServiceException">It can not be started.</exception>
    public static async Task<LocalProgram> StartAsync(string command, string remote, ServiceLookup services, CancellationToken cancellation)
    {
        QrexecCommand parsed = QrexecCommand.Parse(System.Text.Encoding.UTF8.GetBytes(command), hasUser: false)
            ?? throw ServiceException.Problem("the local command can not be one");
        if (parsed.Service is { } call)
        {
            return new LocalProgram(await ServiceLauncher.StartAsync(
                services.FindService(call), call, services.LoadConfiguration(call), StandardError.Handle, cancellation));
        }

        ServiceProgram program = new(Shell, ["-c", command], new Dictionary<string, string?> { ["QREXEC_REMOTE_DOMAIN"] = remote });
        return new LocalProgram(ServiceLauncher.StartProgram(program, ServiceConfiguration.Default, StandardError.Handle));
    }

    public void Dispose() => _running.Dispose();
}
