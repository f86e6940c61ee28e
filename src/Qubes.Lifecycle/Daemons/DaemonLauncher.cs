using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux;

namespace Qubes.Lifecycle.Daemons;

/// <summary>Starts daemons of qubes, and finds those that are there. Thread-safe.</summary>
/// <param name="account">Whom they run as; null: as we.</param>
internal sealed class DaemonLauncher(TimeProvider time, ILogger log, DaemonAccount? account = null)
{
    // What a daemon says on its readiness descriptor.
    private static readonly byte[] Ready = "READY"u8.ToArray();

    private static readonly TimeSpan FindPatience = TimeSpan.FromSeconds(30);

    private const UnixFileMode LogMode = (UnixFileMode)0x1B0; // 0660

    private readonly DaemonSocket _socket = new(account);

    /// <summary>Starts a daemon and waits until it is ready.</summary>
    /// <param name="ended">The guest is gone: give up.</param>
    /// <exception cref="OperationCanceledException">The guest is gone.</exception>
    public async Task<DaemonStart> StartAsync(DaemonCommand command, CancellationToken ended)
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

    /// <summary>
    /// The daemon that serves a socket, started by an earlier run of this program; null if nobody listens there. One that runs as somebody else
    /// than daemons do now is ended: another takes its place.
    /// </summary>
    public async Task<QubeDaemon?> FindAsync(string socketPath)
    {
        if (!File.Exists(socketPath))
        {
            return null;
        }

        try
        {
            FoundDaemon? found = await Task.Run(() => _socket.IdentifyAsync(socketPath)).WaitAsync(FindPatience, time);
            if (found is { IsOurs: false, Daemon: { } other })
            {
                log.LogWarning("{Socket} is served as another user than daemons run as now: process {Id} is replaced", LogText.Escape(socketPath), other.Id);
                await other.StopAsync(time);
                return null;
            }

            return found?.Daemon;
        }
        catch (Exception absent) when (absent is SocketException or LinuxException or TimeoutException)
        {
            return null;
        }
    }

    /// <summary>Connects to the daemon that serves a socket.</summary>
    /// <exception cref="SocketException">Nobody listens there, or somebody who is no daemon of ours.</exception>
    public Task<Socket> ConnectAsync(string socketPath) => _socket.ConnectAsync(socketPath);

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

    private (ChildProcess Child, AnonymousPipe Pipe) Spawn(DaemonCommand command)
    {
        RemoveLeftovers(command);
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
                // As somebody else a program is called by its path: the one of that name stands beside it.
                FileName = account is null ? command.Program : Path.Combine(Path.GetDirectoryName(command.Program)!, command.Name),
                ArgumentZero = command.Name,
                Arguments = command.Arguments,
                Account = account?.User,
                NoNewPrivileges = !command.StartsServices,
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

    /// <summary>The daemon finds its names free, whatever another account, or a hostile one, has left there. Where one of ours listens it finds that out itself.</summary>
    private void RemoveLeftovers(DaemonCommand command)
    {
        if (account is null)
        {
            return;
        }

        foreach (string name in command.Names)
        {
            if (FileStatus.Find(name) is { IsDirectory: false } status && !(status.IsSocket && status.UserId == account.User.UserId))
            {
                File.Delete(name);
            }
        }
    }
}
