using System.Globalization;
using Qubes.Linux;
using Qubes.Qrexec.Vchan;
using Qubes.Qrexec.Vchan.Broker;

namespace Qubes.Qrexec.Client;

/// <summary>Chooses how a program of the host reaches a qube.</summary>
public static class HostTransport
{
    private const string SocketDirectoryVariable = "VCHAN_SOCKET_DIR";
    private const string DefaultSocketDirectory = "/var/run/vchan";

    /// <summary>The directory of socket vchans named by the environment, or null.</summary>
    public static string? SocketDirectoryFromEnvironment =>
        Environment.GetEnvironmentVariable(SocketDirectoryVariable) is { Length: > 0 } directory ? directory : null;

    /// <summary>
    /// vchans to the qube with this domain id, as dom0: over UNIX sockets when a directory is given, else through the qube's broker,
    /// and over UNIX sockets in the default directory when the qube has none.
    /// </summary>
    public static IVchanTransport ForQube(QubesPaths paths, uint domain, string? socketDirectory)
    {
        string broker = paths.VchanBrokerSocket(domain.ToString(CultureInfo.InvariantCulture));
        return socketDirectory is null && FileStatus.Find(broker) is not null
            ? BrokerVchanTransport.ForHost(paths, ownDomain: 0)
            : new SocketVchanTransport(socketDirectory ?? DefaultSocketDirectory, ownDomain: 0);
    }
}
