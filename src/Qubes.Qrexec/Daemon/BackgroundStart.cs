using Qubes.Linux;

namespace Qubes.Qrexec.Daemon;

/// <summary>
/// Starts the daemon in the background as upstream's does: this process waits until the agent has connected, then leaves the daemon
/// behind. Exit status: 0 connected, 3 not in time, 1 any other failure.
/// </summary>
internal static class BackgroundStart
{
    // The first of the descriptors a child gets beyond its standard ones.
    private const string ReadyDescriptor = "3";

    public static async Task<int> RunAsync(DaemonOptions options, IReadOnlyList<string> arguments)
    {
        using AnonymousPipe ready = AnonymousPipe.Create();
        ChildProcess child;
        using (FileStream logFile = OpenLog(options))
        {
            child = ChildProcess.Start(new ChildProcessOptions
            {
                FileName = Environment.ProcessPath ?? throw new InvalidOperationException("the path of this program is unknown"),
                Arguments = [DaemonProgram.Name, "--foreground", "--ready-fd", ReadyDescriptor, .. arguments],
                NewSession = true,
                StandardOutput = logFile.SafeFileHandle,
                StandardError = logFile.SafeFileHandle,
                ExtraHandles = [ready.Writer],
            });
        }

        ready.Writer.Dispose();
        if (await IsReadyAsync(ready, options.Quiet))
        {
            return QrexecDaemon.Stopped;
        }

        ProcessExit exit = await child.Exited;
        return exit is { IsSignal: false, Code: QrexecDaemon.AgentTimeout } ? QrexecDaemon.AgentTimeout : QrexecDaemon.Failed;
    }

    private static FileStream OpenLog(DaemonOptions options)
    {
        Directory.CreateDirectory(options.Paths.LogDirectory);
        return new FileStream(options.Paths.QrexecLog(options.QubeName), new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite,
        });
    }

    // The daemon writes a line when it is ready; when it fails, its end of the pipe closes with it.
    private static async Task<bool> IsReadyAsync(AnonymousPipe pipe, bool quiet)
    {
        await using Stream stream = pipe.OpenReader();
        Task<int> reading = stream.ReadAsync(new byte[1]).AsTask();
        if (!quiet)
        {
            await Console.Error.WriteLineAsync($"{DaemonProgram.Name}: Waiting for VM's qrexec agent.");
            using PeriodicTimer everySecond = new(TimeSpan.FromSeconds(1));
            while (await Task.WhenAny(reading, everySecond.WaitForNextTickAsync().AsTask()) != reading)
            {
                await Console.Error.WriteAsync('.');
            }
        }

        return await reading > 0;
    }
}
