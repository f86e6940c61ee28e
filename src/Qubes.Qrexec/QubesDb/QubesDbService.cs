using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Qrexec.Daemon;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.QubesDb;

/// <summary>A database put together: what runs in qubesdb-daemon, and inside a qube in its agent.</summary>
public static class QubesDbService
{
    private const UnixFileMode PublicFile = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    // So long a host that has no database for us is waited for before the local sockets are there anyway.
    private static readonly TimeSpan FillPatience = TimeSpan.FromSeconds(5);

    /// <summary>The host's copy of a qube's database. Runs until cancelled.</summary>
    /// <param name="options">Of the daemon.</param>
    /// <param name="transport">Reaches the qube; null for the host's own database.</param>
    /// <param name="log">For what goes wrong.</param>
    /// <param name="ready">Called when the sockets are there.</param>
    public static async Task RunHostAsync(
        QubesDbDaemonOptions options, IVchanTransport? transport, ILogger log, Action ready, CancellationToken cancellationToken)
    {
        await using DatabaseServer server = new(new Database(QubesDbLimits.Database, QubesDbLimits.FromGuest), log);
        string writers = options.Paths.QubesDbSocket(options.QubeName!);
        string readers = options.Paths.QubesDbReadOnlySocket(options.QubeName!);
        Directory.CreateDirectory(options.Paths.QubesRunDirectory);
        uint? group = GroupDatabase.FindOwnId("qubes");
        server.Listen(writers, options.WriterMode, group, mayWrite: true);
        server.Listen(readers, options.ReaderMode, group, mayWrite: false);
        if (options.IsHosts)
        {
            Link(options.Paths.LocalQubesDbSocket, writers);
            Link(options.Paths.LocalQubesDbReadOnlySocket, readers);
        }

        string pidFile = options.Paths.QubesDbPidFile(options.QubeName!);
        byte[] pid = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n"));

        // The directory is shared with others: what is there is replaced, not written to, wherever it leads.
        await AtomicFile.WriteAsync(pidFile, pid, PublicFile, cancellationToken: cancellationToken);
        try
        {
            ready();
            await ServeHostAsync(options, transport, server, log, cancellationToken);
        }
        finally
        {
            File.Delete(pidFile);
        }
    }

    private static Task ServeHostAsync(
        QubesDbDaemonOptions options, IVchanTransport? transport, DatabaseServer server, ILogger log, CancellationToken cancellationToken) =>
        transport is null
            ? Task.Delay(Timeout.Infinite, cancellationToken)
            : new HostLink(server, transport, options.DomainId, new GuestLog(log, TimeProvider.System)).RunAsync(cancellationToken);

    /// <summary>The copy inside a qube. Runs until cancelled.</summary>
    /// <param name="transport">Reaches the host.</param>
    /// <param name="host">The host's domain id.</param>
    /// <param name="paths">Where the sockets are.</param>
    /// <param name="mode">Of the socket for reading and writing.</param>
    /// <param name="log">For what goes wrong.</param>
    /// <param name="ready">Called when the database was received and the sockets are there, or when that takes too long.</param>
    public static async Task RunReplicaAsync(
        IVchanTransport transport, uint host, QubesPaths paths, UnixFileMode mode, ILogger log, Action ready, CancellationToken cancellationToken)
    {
        await using DatabaseServer server = new(new Database(QubesDbLimits.Replica, QubesDbLimits.Replica), log);
        ReplicaLink link = new(server, transport, host, new GuestLog(log, TimeProvider.System));
        Task linking = link.RunAsync(cancellationToken);
        if (await Task.WhenAny(link.Filled, Task.Delay(FillPatience, cancellationToken)) != link.Filled)
        {
            log.LogWarning("The host has not sent the QubesDB yet");
        }

        cancellationToken.ThrowIfCancellationRequested();
        Directory.CreateDirectory(paths.QubesRunDirectory);
        server.Listen(paths.LocalQubesDbSocket, mode, groupId: null, mayWrite: true);
        server.Listen(paths.LocalQubesDbReadOnlySocket, (UnixFileMode)0b110_110_110, groupId: null, mayWrite: false);
        ready();
        await linking;
    }

    // The host's own database is also found under the names a qube's has inside it.
    private static void Link(string path, string target)
    {
        File.Delete(path);
        File.CreateSymbolicLink(path, Path.GetFileName(target));
    }
}
