using System.Net.Sockets;
using Qubes.Linux;

namespace Qubes.Lifecycle.Daemons;

/// <summary>
/// The socket of a qube's daemon, in a directory where others may make files: who listens is believed only if the kernel says that it is the daemons' account.
/// </summary>
/// <param name="account">Whom daemons run as; null: as we.</param>
internal sealed class DaemonSocket(DaemonAccount? account)
{
    private uint User => account?.User.UserId ?? UserAccount.CurrentUserId;

    /// <summary>Connects to a daemon of ours.</summary>
    /// <exception cref="SocketException">Nobody listens there, or somebody else.</exception>
    public async Task<Socket> ConnectAsync(string path)
    {
        Socket socket = await UnixAddress.ConnectAsync(path);
        if (PeerCredentials.Of(socket).UserId == User && IsMadeBy(path, User))
        {
            return socket;
        }

        socket.Dispose();
        throw new SocketException((int)SocketError.AccessDenied);
    }

    /// <summary>Who listens at <paramref name="path"/>, by what the kernel remembers: no file with a number that may be somebody else's by now.</summary>
    /// <returns>Null when it is nobody that may be taken for a daemon.</returns>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public async Task<FoundDaemon?> IdentifyAsync(string path)
    {
        using Socket connection = await UnixAddress.ConnectAsync(path);
        PeerCredentials peer = PeerCredentials.Of(connection);
        bool isOurs = peer.UserId == User;
        if (peer.ProcessId <= 0 || !IsMadeBy(path, peer.UserId) || (!isOurs && !UserAccount.IsRoot)
            || ProcessWatch.TryOpen(peer.ProcessId) is not { } watch)
        {
            return null;
        }

        // The number is held from here on; before, it may have passed to another process.
        return ProcessOwner.Find(peer.ProcessId) == peer.UserId ? new FoundDaemon(new QubeDaemon(watch), isOurs) : null;
    }

    /// <summary>Whether a user made the socket right here: a link or a second name could lead to a socket of anything on the host.</summary>
    private static bool IsMadeBy(string path, uint user)
    {
        FileInfo file = new(path);
        if (file.LinkTarget is { } target)
        {
            path = Path.Join(file.DirectoryName, target);
            if (Path.GetFileName(target) != target)
            {
                return false;
            }
        }

        return FileStatus.Find(path) is { IsSocket: true, Links: 1 } status && status.UserId == user;
    }
}
