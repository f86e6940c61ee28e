using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Qubes.Linux;

namespace Qubes.Qrexec.Vchan.Broker;

/// <summary>
/// Lets other processes use a link: each connection to the broker's UNIX socket becomes one vchan. Who may connect is a matter of the socket's mode.
/// </summary>
public sealed class VchanBroker : IDisposable
{
    // More than data ports exist twice over: a caller's end and a service's end of every call.
    private const int MaxClients = 600;

    private readonly IVchanTransport _transport;
    private readonly UnixListener _listener;
    private readonly Func<uint, uint, bool> _allows;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _clients = new(MaxClients);

    private VchanBroker(IVchanTransport transport, UnixListener listener, Func<uint, uint, bool> allows, ILogger logger)
    {
        _transport = transport;
        _listener = listener;
        _allows = allows;
        _logger = logger;
    }

    /// <summary>Binds <paramref name="path"/>; serving starts with <see cref="RunAsync"/>.</summary>
    /// <param name="transport">The link.</param>
    /// <param name="path">Of the socket.</param>
    /// <param name="mode">Of the socket.</param>
    /// <param name="groupId">Group of the socket; null leaves the process's.</param>
    /// <param name="allows">Tells which (domain, port) clients may ask for.</param>
    /// <param name="logger">For what goes wrong.</param>
    public static VchanBroker Bind(
        IVchanTransport transport, string path, UnixFileMode mode, uint? groupId, Func<uint, uint, bool> allows, ILogger logger) =>
        new(transport, UnixListener.Bind(path, mode, groupId), allows, logger);

    /// <summary>Serves until cancelled; vchans that stand then are closed.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await _clients.WaitAsync(cancellationToken);
            Socket client;
            try
            {
                client = await _listener.AcceptAsync(cancellationToken);
            }
            catch
            {
                _clients.Release();
                throw;
            }

            _ = Task.Run(() => ServeAsync(client, cancellationToken), CancellationToken.None);
        }
    }

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync(Socket socket, CancellationToken cancellationToken)
    {
        try
        {
            await using SocketVchan client = new(socket);
            byte[] bytes = new byte[BrokerRequest.Size];
            if (!await client.TryReadExactlyAsync(bytes, cancellationToken))
            {
                return;
            }

            if (!BrokerRequest.TryRead(bytes, out BrokerRequest request) || !_allows(request.Domain, request.Port))
            {
                await client.WriteAsync(BrokerRequest.Status(BrokerStatus.Refused), cancellationToken);
                return;
            }

            if (await ObtainAsync(client, request, cancellationToken) is { } vchan)
            {
                await using IVchan owned = vchan;
                await client.WriteAsync(BrokerRequest.Status(BrokerStatus.Connected), cancellationToken);
                await VchanRelay.RunAsync(client, vchan, cancellationToken);
            }
        }
        catch (Exception e) when (e is VchanException or OperationCanceledException or ObjectDisposedException)
        {
            // The client, the link or the broker is gone: there is nobody to tell.
        }
        catch (Exception e)
        {
            BrokerLog.Failed(_logger, e);
        }
        finally
        {
            _clients.Release();
        }
    }

    // Null: refused, or the client gave up; it is told what there is to tell.
    private async Task<IVchan?> ObtainAsync(SocketVchan client, BrokerRequest request, CancellationToken cancellationToken)
    {
        using CancellationTokenSource wait = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<IVchan> peer = request.Operation == BrokerOperation.Listen
            ? AcceptAsync(client, request, wait.Token)
            : _transport.ConnectAsync(request.Domain, request.Port, wait.Token).AsTask();

        // The client has nothing to say before it is connected: an end of its stream is a client that no longer wants to be.
        Task hangup = client.WaitReadableAsync(wait.Token);
        await Task.WhenAny(peer, hangup);
        await wait.CancelAsync();
        await hangup.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            return await peer;
        }
        catch (VchanException)
        {
            await client.WriteAsync(BrokerRequest.Status(BrokerStatus.Refused), cancellationToken);
            return null;
        }
    }

    private async Task<IVchan> AcceptAsync(SocketVchan client, BrokerRequest request, CancellationToken cancellationToken)
    {
        await using IVchanListener listener = await _transport.ListenAsync(request.Domain, request.Port, cancellationToken);
        await client.WriteAsync(BrokerRequest.Status(BrokerStatus.Listening), cancellationToken);
        return await listener.AcceptAsync(cancellationToken);
    }
}
