using System.Globalization;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Qrexec;

/// <summary>Starts the qrexec daemon of a qube, or finds the one that is there. Thread-safe.</summary>
/// <param name="program">The daemon's program.</param>
internal sealed class QrexecDaemons(string program, QubesPaths paths, TimeProvider time)
{
    // What the daemon says on its readiness descriptor.
    private static readonly byte[] Ready = "READY"u8.ToArray();

    // The daemon keeps the guest's deadline itself; this is for a daemon that hangs.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan StartUp = TimeSpan.FromSeconds(30);

    private const int NoAgentExitStatus = 3;
    private const UnixFileMode LogMode = (UnixFileMode)0x1B0; // 0660

    /// <summary>Starts the daemon and waits until the guest's agent is connected (or, without a timeout, until the daemon serves).</summary>
    /// <param name="ended">The guest is gone: give up.</param>
    /// <exception cref="QubesException">No agent in time, or the daemon failed; it does not run then.</exception>
    public async Task<QrexecDaemon> StartAsync(QrexecDaemonRequest request, CancellationToken ended)
    {
        (ChildProcess child, AnonymousPipe pipe) = await Task.Run(() => Spawn(request), CancellationToken.None);
        using AnonymousPipe owned = pipe;
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(ended);
        deadline.CancelAfter(request.Timeout is { } timeout ? timeout + Grace : StartUp);
        bool isReady = false;
        try
        {
            isReady = await IsReadyAsync(pipe, deadline.Token);
            return isReady
                ? new QrexecDaemon(child)
                // End of file: it gave up, or is about to.
                : throw Failure(request, await child.Exited.WaitAsync(deadline.Token));
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            throw QubesErrors.VM($"Qube '{request.Name}' has stopped while its qrexec agent was waited for");
        }
        catch (OperationCanceledException)
        {
            throw NoAgent(request);
        }
        finally
        {
            if (!isReady)
            {
                child.KillGroup();
            }
        }
    }

    /// <summary>The names of the qubes that have a daemon's socket, served or left over. Reads a directory.</summary>
    public IReadOnlySet<string> ListServed()
    {
        string prefix = Path.GetFileName(paths.QrexecSocket(""));
        return Directory.Exists(paths.QubesRunDirectory)
            ? Directory.EnumerateFiles(paths.QubesRunDirectory, prefix + "*").Select(path => Path.GetFileName(path)[prefix.Length..]).ToHashSet()
            : new HashSet<string>();
    }

    /// <summary>The daemon that serves the qube's socket, started by an earlier run of this program; null if nobody listens there.</summary>
    public async Task<QrexecDaemon?> FindAsync(string name)
    {
        if (!File.Exists(paths.QrexecSocket(name)))
        {
            return null;
        }

        try
        {
            // The kernel remembers who began to listen: no file with a number that may be somebody else's by now.
            using Socket connection = await UnixAddress.ConnectAsync(paths.QrexecSocket(name)).WaitAsync(StartUp, time);
            int id = PeerCredentials.Of(connection).ProcessId;
            return id > 0 && ProcessWatch.TryOpen(id) is { } watch ? new QrexecDaemon(watch) : null;
        }
        catch (Exception absent) when (absent is SocketException or LinuxException or TimeoutException)
        {
            return null;
        }
    }

    private static async Task<bool> IsReadyAsync(AnonymousPipe pipe, CancellationToken cancellationToken)
    {
        await using Stream reader = pipe.OpenReader();
        byte[] said = new byte[Ready.Length];
        int length = 0;
        while (length < said.Length)
        {
            int count = await reader.ReadAsync(said.AsMemory(length), cancellationToken);
            if (count == 0)
            {
                return false;
            }

            length += count;
        }

        return said.AsSpan().SequenceEqual(Ready);
    }

    private (ChildProcess Child, AnonymousPipe Pipe) Spawn(QrexecDaemonRequest request)
    {
        string log = paths.QrexecLog(request.Name);
        Directory.CreateDirectory(Path.GetDirectoryName(log)!);
        using SafeFileHandle output = new FileStream(log, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite,
            UnixCreateMode = LogMode,
        }).SafeFileHandle;
        AnonymousPipe pipe = AnonymousPipe.Create();
        try
        {
            ChildProcess child = ChildProcess.Start(new ChildProcessOptions
            {
                FileName = program,
                ArgumentZero = "qrexec-daemon",
                Arguments = ArgumentsOf(request),
                EnvironmentChanges = EnvironmentOf(request),
                WorkingDirectory = "/",
                NewSession = true,
                StandardOutput = output,
                StandardError = output,
                ExtraHandles = [pipe.Writer],
            });
            pipe.Writer.Dispose();
            return (child, pipe);
        }
        catch
        {
            pipe.Dispose();
            throw;
        }
    }

    private List<string> ArgumentsOf(QrexecDaemonRequest request)
    {
        List<string> arguments = ["--foreground", "--ready-fd=3", "--vchan=virtio", "--root=" + paths.Root];
        if (request.IsQuiet)
        {
            arguments.Add("-q");
        }

        arguments.AddRange(
            ["-u", request.Uuid.ToString("D"), "--", request.Xid.ToString(CultureInfo.InvariantCulture), request.Name, request.DefaultUser]);
        return arguments;
    }

    private static Dictionary<string, string?> EnvironmentOf(QrexecDaemonRequest request) => request.Timeout is { } timeout
        ? new() { ["QREXEC_STARTUP_TIMEOUT"] = ((int)timeout.TotalSeconds).ToString(CultureInfo.InvariantCulture), ["QREXEC_STARTUP_NOWAIT"] = null }
        : new() { ["QREXEC_STARTUP_NOWAIT"] = "1", ["QREXEC_STARTUP_TIMEOUT"] = null };

    private QubesException Failure(QrexecDaemonRequest request, ProcessExit exit) => exit is { Code: NoAgentExitStatus, IsSignal: false }
        ? NoAgent(request)
        : QubesErrors.VM($"qrexec-daemon startup failed: {exit}, see {paths.QrexecLog(request.Name)} for details");

    private QubesException NoAgent(QrexecDaemonRequest request) => QubesErrors.VM(string.Create(
        CultureInfo.InvariantCulture,
        $"Cannot connect to qrexec agent for {(request.Timeout ?? StartUp).TotalSeconds:0} seconds, see {paths.GuestConsoleLog(request.Name)} for details"));
}
