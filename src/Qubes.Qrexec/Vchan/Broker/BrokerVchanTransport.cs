using System.Globalization;
using System.Net.Sockets;
using Qubes.Linux;

namespace Qubes.Qrexec.Vchan.Broker;

/// <summary>vchans through the process that holds a link: the guest's agent, or on the host the daemon of the qube to be reached.</summary>
public sealed class BrokerVchanTransport : IVchanTransport
{
    private readonly Func<uint, string> _pathOf;
    private readonly uint? _ownDomain;

    private BrokerVchanTransport(Func<uint, string> pathOf, uint? ownDomain)
    {
        _pathOf = pathOf;
        _ownDomain = ownDomain;
    }

    /// <summary>Inside a guest: one broker for all domains.</summary>
    public static BrokerVchanTransport ForGuest(string brokerPath) => new(_ => brokerPath, ownDomain: null);

    /// <summary>On the host: each domain has a broker, its daemon.</summary>
    /// <param name="paths">Where they are.</param>
    /// <param name="ownDomain">On whose behalf connections are made: 0 for the host, or the qube whose stream is relayed.</param>
    public static BrokerVchanTransport ForHost(QubesPaths paths, uint ownDomain) =>
        new(domain => paths.VchanBrokerSocket(domain.ToString(CultureInfo.InvariantCulture)), ownDomain);

    public async ValueTask<IVchanListener> ListenAsync(uint domain, uint port, CancellationToken cancellationToken = default)
    {
        SocketVchan socket = await RequestAsync(BrokerOperation.Listen, domain, port, cancellationToken);
        try
        {
            await ExpectAsync(socket, BrokerStatus.Listening, domain, port, cancellationToken);
            return new Listener(this, domain, port, socket);
        }
        catch
        {
            await socket.DisposeAsync();
            throw;
        }
    }

    public async ValueTask<IVchan> ConnectAsync(uint domain, uint port, CancellationToken cancellationToken = default)
    {
        SocketVchan socket = await RequestAsync(BrokerOperation.Connect, domain, port, cancellationToken);
        try
        {
            await ExpectAsync(socket, BrokerStatus.Connected, domain, port, cancellationToken);
            return socket;
        }
        catch
        {
            await socket.DisposeAsync();
            throw;
        }
    }

    private async ValueTask<SocketVchan> RequestAsync(BrokerOperation operation, uint domain, uint port, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            using UnixAddress address = new(_pathOf(domain));
            await socket.ConnectAsync(address.EndPoint, cancellationToken);
            SocketVchan vchan = new(socket);
            await vchan.WriteAsync(new BrokerRequest(operation, _ownDomain ?? domain, port).ToBytes(), cancellationToken);
            return vchan;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new VchanException($"no vchan broker for domain {domain}: {e.Message}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async ValueTask ExpectAsync(
        SocketVchan socket, BrokerStatus expected, uint domain, uint port, CancellationToken cancellationToken)
    {
        byte[] status = new byte[BrokerRequest.StatusSize];
        await socket.ReadExactlyAsync(status, cancellationToken);
        if (BrokerRequest.ReadStatus(status) != expected)
        {
            throw new VchanException($"the vchan broker refuses port {port} of domain {domain}");
        }
    }

    // The connection to the broker is the listening end until it becomes the vchan; a second accept needs another one.
    private sealed class Listener(BrokerVchanTransport transport, uint domain, uint port, SocketVchan socket) : IVchanListener
    {
        private SocketVchan? _socket = socket;

        public async ValueTask<IVchan> AcceptAsync(CancellationToken cancellationToken = default)
        {
            if (_socket is null)
            {
                Listener again = (Listener)await transport.ListenAsync(domain, port, cancellationToken);
                _socket = again._socket;
            }

            SocketVchan current = _socket!;
            await ExpectAsync(current, BrokerStatus.Connected, domain, port, cancellationToken);
            _socket = null;
            return current;
        }

        public async ValueTask DisposeAsync()
        {
            if (_socket is { } unused)
            {
                _socket = null;
                await unused.DisposeAsync();
            }
        }
    }
}
