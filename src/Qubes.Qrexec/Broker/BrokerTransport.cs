using System.Net.Sockets;
using Qubes.Linux;
using Qubes.Qrexec.IO;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Broker;

/// <summary>
/// vchans to the one qube whose broker listens at <paramref name="brokerPath"/>, for programs on the host. <paramref name="asDomain"/> is who
/// the guest sees at the other end: 0 for dom0, another qube's id when data between two qubes is relayed.
/// </summary>
public sealed class BrokerTransport(string brokerPath, uint asDomain) : IVchanTransport
{
    public async ValueTask<IVchanListener> ListenAsync(uint domain, uint port, CancellationToken cancellationToken = default) =>
        new BrokerListener(await RequestAsync(new BrokerRequest(BrokerOperation.Listen, asDomain, port), cancellationToken));

    public async ValueTask<IVchan> ConnectAsync(uint domain, uint port, CancellationToken cancellationToken = default) =>
        new SocketVchan(await RequestAsync(new BrokerRequest(BrokerOperation.Connect, asDomain, port), cancellationToken));

    private async Task<Socket> RequestAsync(BrokerRequest request, CancellationToken cancellation)
    {
        Socket? socket = null;
        try
        {
            socket = await UnixAddress.ConnectAsync(brokerPath, cancellation);
            await socket.SendAllAsync(request.ToBytes(), cancellation);
            await ExpectDoneAsync(socket, cancellation);
            return socket;
        }
        catch (Exception e)
        {
            socket?.Dispose();
            throw e is SocketException or LinuxException ? new VchanException($"no vchan through {brokerPath}: {e.Message}", e) : e;
        }
    }

    private static async Task ExpectDoneAsync(Socket socket, CancellationToken cancellation)
    {
        byte[] answer = new byte[1];
        if (!await socket.TryReceiveExactlyAsync(answer, cancellation) || answer[0] != BrokerRequest.Done)
        {
            throw new VchanException("the qube's vchan broker refuses");
        }
    }

    private sealed class BrokerListener(Socket socket) : IVchanListener
    {
        private bool _accepted;

        public async ValueTask<IVchan> AcceptAsync(CancellationToken cancellationToken = default)
        {
            if (_accepted)
            {
                throw new InvalidOperationException("a broker connection serves one client");
            }

            await ExpectDoneAsync(socket, cancellationToken);
            _accepted = true;
            return new SocketVchan(socket);
        }

        public ValueTask DisposeAsync()
        {
            if (!_accepted)
            {
                socket.Dispose();
            }

            return default;
        }
    }
}
