using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux;
using Qubes.Protocol.Errors;

namespace Qvm.Tools.Running;

/// <summary>Runs a service in a qube through the qrexec client of this machine, and returns its exit status.</summary>
internal sealed class ServiceRunner(ToolContext context)
{
    /// <param name="qube">The target.</param>
    /// <param name="call">The service.</param>
    /// <param name="streams">How its standard streams are connected.</param>
    /// <param name="patience">Seconds until its guest must have answered; null for the client's own limit.</param>
    public async Task<int> RunAsync(string qube, ServiceCall call, ServiceStreams streams, int? patience = null)
    {
        List<string> words = context.App.IsLocal ? LocalCommand(qube, call, streams, patience) : RemoteCommand(qube, call, streams);
        string program = FindProgram(context.App.IsLocal ? "qrexec-client" : "qrexec-client-vm");
        using SafeFileHandle stdin = new(0, ownsHandle: false);
        using SafeFileHandle stdout = new(1, ownsHandle: false);
        using SafeFileHandle stderr = new(2, ownsHandle: false);
        try
        {
            ChildProcess child = ChildProcess.Start(new ChildProcessOptions
            {
                FileName = program,
                Arguments = words,
                StandardInput = streams.PassIo ? stdin : null,
                StandardOutput = streams.PassIo ? stdout : null,
                StandardError = streams.PassIo ? stderr : null,
            });

            // Ctrl-C reaches the child by itself, being in our process group; we stay to report how it ended.
            using PosixSignalRegistration interrupt =
                PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
            ProcessExit exit = await child.Exited;
            return exit.IsSignal ? 128 + exit.Code : exit.Code;
        }
        catch (LinuxException e)
        {
            throw new QubesException($"cannot run {program}: {e.Message}");
        }
    }

    private static List<string> LocalCommand(string qube, ServiceCall call, ServiceStreams streams, int? patience)
    {
        List<string> words = ["-d", qube];
        if (patience is { } seconds)
        {
            words.AddRange(["-w", seconds.ToString(CultureInfo.InvariantCulture)]);
        }

        if (streams.FilterOutput)
        {
            words.Add("-t");
        }

        if (streams.FilterError)
        {
            words.Add("-T");
        }

        if (streams.LocalCommand is not null)
        {
            words.AddRange(["-l", streams.LocalCommand]);
        }

        if (!streams.Wait)
        {
            words.Add("-e");
        }

        if (call.Prefix.Length > 0)
        {
            words.AddRange(["-p", call.Prefix]);
        }

        string service = call.Service.Contains('+') ? call.Service : call.Service + "+";
        words.Add($"{call.User ?? "DEFAULT"}:QUBESRPC {service} dom0");
        return words;
    }

    private static List<string> RemoteCommand(string qube, ServiceCall call, ServiceStreams streams)
    {
        if (call.User is not null)
        {
            throw new QubesException("running as another user is possible from dom0 only");
        }

        List<string> words = [];
        if (streams.FilterOutput)
        {
            words.Add("-t");
        }

        if (streams.FilterError)
        {
            words.Add("-T");
        }

        if (call.Prefix.Length > 0)
        {
            words.AddRange(["-p", call.Prefix]);
        }

        words.AddRange([qube, call.Service]);
        if (streams.LocalCommand is not null)
        {
            words.AddRange(["/bin/sh", "-c", streams.LocalCommand]);
        }

        return words;
    }

    // Our own build's programs lie beside this one; an installed system has them at upstream's place.
    private static string FindProgram(string name)
    {
        string beside = Path.Combine(AppContext.BaseDirectory, name);
        string installed = name == "qrexec-client" ? "/usr/lib/qubes/qrexec-client" : "/usr/bin/qrexec-client-vm";
        return File.Exists(beside) ? beside : installed;
    }
}
