using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Data;

namespace Qubes.Qrexec.ClientVm;

/// <summary>
/// The local program of a call: its standard input and output are the service's output and input. It finds our own streams again as
/// the descriptors named by <c>SAVED_FD_0</c> and <c>SAVED_FD_1</c> (and <c>SAVED_FD_2</c> when <c>PASS_LOCAL_STDERR</c> is set).
/// </summary>
internal sealed class ConnectedProgram : IDisposable
{
    private const int SIGUSR1 = 10;
    private const int FirstExtraDescriptor = 3;

    private readonly Socket _input;
    private readonly Socket _output;
    private readonly PosixSignalRegistration _singleSocket;
    private readonly TaskCompletionSource<ILocalSource> _switch = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task<int> _exit;

    private ConnectedProgram(Socket input, Socket output, ChildProcess process)
    {
        _input = input;
        _output = output;
        _exit = StatusAsync(process);
        _singleSocket = PosixSignalRegistration.Create((PosixSignal)SIGUSR1, signal =>
        {
            signal.Cancel = true;
            _switch.TrySetResult(new LocalSocket(_input));
        });
    }

    /// <exception cref="LinuxException">It cannot be started.</exception>
    public static ConnectedProgram Start(IReadOnlyList<string> program)
    {
        using SocketPair input = SocketPair.Create();
        using SocketPair output = SocketPair.Create();
        using SafeFileHandle stdin = new(0, ownsHandle: false);
        using SafeFileHandle stdout = new(1, ownsHandle: false);
        using SafeFileHandle stderr = new(2, ownsHandle: false);
        SafeHandle[] saved = Environment.GetEnvironmentVariable("PASS_LOCAL_STDERR") is null ? [stdin, stdout] : [stdin, stdout, stderr];
        Dictionary<string, string?> environment = new(StringComparer.Ordinal)
        {
            ["QREXEC_AGENT_PID"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
        };
        for (int i = 0; i < saved.Length; i++)
        {
            environment[$"SAVED_FD_{i}"] = (FirstExtraDescriptor + i).ToString(CultureInfo.InvariantCulture);
        }

        ChildProcess process = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = program[0],
            ArgumentZero = Path.GetFileName(program[0]),
            Arguments = [.. program.Skip(1)],
            EnvironmentChanges = environment,
            StandardInput = input.Theirs,
            StandardOutput = output.Theirs,
            StandardError = stderr,
            ExtraHandles = saved,
        });
        return new ConnectedProgram(input.TakeOurs(), output.TakeOurs(), process);
    }

    public CallerStreams StreamsWith(ILocalSink error) => new()
    {
        Output = new LocalSocket(_input),
        Input = new LocalSocket(_output),
        Error = error,
        Process = _exit,
        SingleSocket = _switch.Task,
    };

    public void Dispose()
    {
        _singleSocket.Dispose();
        _input.Dispose();
        _output.Dispose();
    }

    private static async Task<int> StatusAsync(ChildProcess process)
    {
        ProcessExit exit = await process.Exited;
        return exit.IsSignal ? QrexecExitCode.SignalBase + exit.Code : exit.Code;
    }
}
