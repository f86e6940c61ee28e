using System.Runtime.InteropServices;
using Qubes.Linux;
using Qubes.Qrexec.CommandLine;
using Qubes.Qrexec.IO;

namespace Qubes.Qrexec.Daemon;

/// <summary>The program qrexec-daemon.</summary>
public static class DaemonProgram
{
    /// <summary>The name under which the multi-call program runs it.</summary>
    public const string Name = "qrexec-daemon";

    private const int UsageError = 1;

    /// <summary>Runs the program and returns its exit status.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        DaemonOptions options;
        try
        {
            options = DaemonOptions.Parse(arguments);
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync(e.Message.Length > 0 ? $"{Name}: {e.Message}\n{DaemonOptions.Usage}" : DaemonOptions.Usage);
            return UsageError;
        }

        return options.Foreground ? await RunInForegroundAsync(options) : await BackgroundStart.RunAsync(
            Name, options.Paths.QrexecLog(options.QubeName), arguments, options.Quiet ? null : "Waiting for VM's qrexec agent.");
    }

    private static async Task<int> RunInForegroundAsync(DaemonOptions options)
    {
        ProcessPrivacy.Seal();
        using CancellationTokenSource stop = new();
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using StandardErrorLoggerFactory logging = new();
        return await new QrexecDaemon(options, logging.CreateLogger(Name)).RunAsync(() => Readiness.Tell(options.ReadyDescriptor), stop.Token);

        void OnSignal(PosixSignalContext context)
        {
            // The daemon ends by itself, removing its sockets; the runtime shall not end it before.
            context.Cancel = true;
            stop.Cancel();
        }
    }
}
