using Qubes.Linux;

namespace Qubes.Qrexec.Daemon;

/// <summary>
/// Starts a daemon in the background as upstream's does: this process waits until it is ready, then leaves it behind. Exit status: 0
/// ready, else that of the daemon, 1 for one ended by a signal.
/// </summary>
internal static class BackgroundStart
{
    // The first of the descriptors a child gets beyond its standard ones.
    private const string ReadyDescriptor = "3";

    private const int Failed = 1;

    /// <param name="program">The name under which the multi-call program runs it.</param>
    /// <param name="logPath">Receives what it prints.</param>
    /// <param name="arguments">Its command line; that it stays in the foreground, and what it tells of readiness, is added.</param>
    /// <param name="waitingFor">Shown while it is waited for; null shows nothing.</param>
    public static async Task<int> RunAsync(string program, string logPath, IReadOnlyList<string> arguments, string? waitingFor)
    {
        using AnonymousPipe ready = AnonymousPipe.Create();
        ChildProcess child;
        using (FileStream logFile = OpenLog(logPath))
        {
            child = ChildProcess.Start(new ChildProcessOptions
            {
                FileName = Environment.ProcessPath ?? throw new InvalidOperationException("the path of this program is unknown"),
                Arguments = [program, "--foreground", "--ready-fd", ReadyDescriptor, .. arguments],
                NewSession = true,
                StandardOutput = logFile.SafeFileHandle,
                StandardError = logFile.SafeFileHandle,
                ExtraHandles = [ready.Writer],
            });
        }

        ready.Writer.Dispose();
        if (await IsReadyAsync(ready, waitingFor is null ? null : $"{program}: {waitingFor}"))
        {
            return 0;
        }

        ProcessExit exit = await child.Exited;
        return exit is { IsSignal: false, Code: not 0 } ? exit.Code : Failed;
    }

    private static FileStream OpenLog(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite,
        });
    }

    // The daemon writes a line when it is ready; when it fails, its end of the pipe closes with it.
    private static async Task<bool> IsReadyAsync(AnonymousPipe pipe, string? waiting)
    {
        await using Stream stream = pipe.OpenReader();
        Task<int> reading = stream.ReadAsync(new byte[1]).AsTask();
        if (waiting is not null)
        {
            await Console.Error.WriteLineAsync(waiting);
            using PeriodicTimer everySecond = new(TimeSpan.FromSeconds(1));
            while (await Task.WhenAny(reading, everySecond.WaitForNextTickAsync().AsTask()) != reading)
            {
                await Console.Error.WriteAsync('.');
            }
        }

        return await reading > 0;
    }
}
