using System.Net.Sockets;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;

namespace Qubes.Qrexec.Services;

/// <summary>
/// A started service: the local side of a call, to be connected to its data link. Owns the sockets.
/// </summary>
public sealed class RunningService : IDisposable
{
    private RunningService(Socket input, Socket output, ChildProcess? process, ServiceConfiguration configuration)
    {
        Input = input;
        Output = output;
        Process = process;
        Configuration = configuration;
        ExitStatus = process is null ? Task.FromResult(0) : StatusAsync(process);
    }

    /// <summary>Where what the caller sends goes.</summary>
    public Socket Input { get; }

    /// <summary>Where what the caller gets comes from; the same socket as <see cref="Input"/> for socket services.</summary>
    public Socket Output { get; }

    /// <summary>The program, or null for a socket.</summary>
    public ChildProcess? Process { get; }

    /// <summary>The settings the service was started with.</summary>
    public ServiceConfiguration Configuration { get; }

    /// <summary>Exit status as qrexec reports it: 128 + n for a process killed by signal n; 0, at once, for a socket.</summary>
    public Task<int> ExitStatus { get; }

    internal static RunningService FromSocket(Socket socket, ServiceConfiguration configuration) =>
        new(socket, socket, null, configuration);

    internal static RunningService FromProcess(Socket input, Socket output, ChildProcess process, ServiceConfiguration configuration) =>
        new(input, output, process, configuration);

    /// <summary>Closes our ends. A program is not killed: it learns of the end by its closed streams.</summary>
    public void Dispose()
    {
        Input.Dispose();
        Output.Dispose();
    }

    private static async Task<int> StatusAsync(ChildProcess process)
    {
        ProcessExit exit = await process.Exited;
        return exit.IsSignal ? QrexecExitCode.SignalBase + exit.Code : exit.Code;
    }
}
