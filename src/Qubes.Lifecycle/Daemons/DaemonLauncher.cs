using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux;

namespace Qubes.Lifecycle.Daemons;

/// <summary>Starts daemons of qubes, and finds those that are there. Thread-safe.</summary>
internal sealed class DaemonLauncher(TimeProvider time)
{
    // What a daemon says on its readiness descriptor.
    private static readonly byte[] Ready = "READY"u8.ToArray();

    private static readonly TimeSpan FindPatience = TimeSpan.FromSeconds(30);

    private const UnixFileMode LogMode = (UnixFileMode)0x1B0; // 0660

    /// <summary>Starts a daemon and waits until it is ready.</summary>
    /// <param name="ended">The guest is gone: give up.</param>
    /// <exception cref="OperationCanceledException">The guest is gone.</exception>
    public static async Task<DaemonStart> StartAsync(DaemonCommand command, CancellationToken ended)
    {
        (ChildProcess child, AnonymousPipe pipe) = await Task.Run(() => Spawn(command), CancellationToken.None);
        using AnonymousPipe owned = pipe;
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(ended);
        deadline.CancelAfter(command.Limit);
        bool isReady = false;
        try
        {
            isReady = await IsReadyAsync(pipe, deadline.Token);
            return isReady
                ? new DaemonStart(new QubeDaemon(child), null)
                // End of file: it gave up, or is about to.
                : new DaemonStart(null, await child.Exited.WaitAsync(deadline.Token));
        }
        catch (OperationCanceledException) when (!ended.IsCancellationRequested)
        {
            return default;
        }
        finally
        {
            if (!isReady)
            {
                child.KillGroup();
            }
        }
    }

    /// <summary>The names for which there is a socket, served or left over.</summary>
    /// <param name="socketOf">The socket's path for a name.</param>
    public static IEnumerable<string> ListServed(Func<string, string> socketOf)
    {
        string[] around = Path.GetFileName(socketOf("*")).Split('*');
        string directory = Path.GetDirectoryName(socketOf("*"))!;
        return Directory.Exists(directory)
            ? Directory.EnumerateFiles(directory, around[0] + "*" + around[1])
                .Select(path => Path.GetFileName(path)[around[0].Length..^around[1].Length])
            : [];
    }

    /// <summary>The daemon that serves a socket, started by an earlier run of this program; null if nobody listens there.</summary>
    public async Task<QubeDaemon?> FindAsync(string socketPath)
    {
        if (!File.Exists(socketPath))
        {
            return null;
        }

        try
        {
            // The kernel remembers who began to listen: no file with a number that may be somebody else's by now.
            using Socket connection = await UnixAddress.ConnectAsync(socketPath).WaitAsync(FindPatience, time);
            int id = PeerCredentials.Of(connection).ProcessId;
            return id > 0 && ProcessWatch.TryOpen(id) is { } watch ? new QubeDaemon(watch) : null;
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

    private static (ChildProcess Child, AnonymousPipe Pipe) Spawn(DaemonCommand command)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(command.LogPath)!);
        using SafeFileHandle output = new FileStream(command.LogPath, new FileStreamOptions
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
                FileName = command.Program,
                ArgumentZero = command.Name,
                Arguments = command.Arguments,
                EnvironmentChanges = command.Environment,
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
}
