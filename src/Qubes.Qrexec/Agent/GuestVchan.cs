using System.Globalization;
using Qubes.Linux;
using Qubes.Qrexec.Vchan;
using Qubes.Qrexec.Vchan.Broker;

namespace Qubes.Qrexec.Agent;

/// <summary>
/// How programs inside a qube reach other domains. The one port of a KVM guest belongs to its agent, so all others ask the agent's
/// broker; with <c>VCHAN_SOCKET_DIR</c> set, vchans are sockets in that directory, as upstream's are, and need no guest at all.
/// </summary>
public static class GuestVchan
{
    private const string DirectoryVariable = "VCHAN_SOCKET_DIR";
    private const string DomainVariable = "VCHAN_DOMAIN";

    /// <summary>Where the agent's broker listens.</summary>
    public static string BrokerPath(QubesPaths paths) => paths.Under("run/qubes/vchan.broker");

    /// <summary>The socket transport that the environment asks for, or null for the virtio-serial port.</summary>
    public static SocketVchanTransport? FromEnvironment()
    {
        if (Environment.GetEnvironmentVariable(DirectoryVariable) is not { Length: > 0 } directory)
        {
            return null;
        }

        bool isNumber = uint.TryParse(
            Environment.GetEnvironmentVariable(DomainVariable), NumberStyles.None, CultureInfo.InvariantCulture, out uint domain);
        return new SocketVchanTransport(directory, isNumber ? domain : 0);
    }

    /// <summary>The transport for programs other than the agent.</summary>
    public static IVchanTransport ForClients(QubesPaths paths) =>
        (IVchanTransport?)FromEnvironment() ?? BrokerVchanTransport.ForGuest(BrokerPath(paths));
}
