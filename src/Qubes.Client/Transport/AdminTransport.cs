using Qubes.Linux;

namespace Qubes.Client.Transport;

/// <summary>Chooses the way to the daemon.</summary>
public static class AdminTransport
{
    /// <summary>
    /// The daemon's socket where this is the host (<c>QUBES_ROOT</c> is set, the socket is there, or
    /// <c>/etc/qubes-release</c> says so), else qrexec.
    /// </summary>
    public static IAdminTransport Create(QubesPaths paths)
    {
        bool isHost = !paths.IsSystemRoot || File.Exists(paths.AdminSocket) || File.Exists("/etc/qubes-release");
        return isHost ? new SocketTransport(paths.AdminSocket, paths.RpcDirectory) : new QrexecTransport();
    }
}
