using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Qrexec.IO;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Broker;

/// <summary>
/// Serves the broker socket of one qube: opens vchans to the guest for other programs of the host, which are as trusted as this one.
/// </summary>
internal sealed class VchanBroker : IAsyncDisposable
{
    // Each connection may hold one stream of the link, of which a call needs one.
    private const int MaxConnections = 512;
    private static readonly TimeSpan RequestPatience = TimeSpan.FromSeconds(30);

    private readonly IVchanTransport _guest;
    private readonly UnixListener _listener;
    private readonly string _idLink;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _places = new(MaxConnections);
    private readonly Task _accepting;

    private VchanBroker(IVchanTransport guest, UnixListener listener, string idLink, ILogger log)
    {
        _guest = guest;
        _listener = listener;
        _idLink = idLink;
        _log = log;
        _accepting = AcceptAsync();
    }

    /// <summary>Path of the broker of the qube with this domain id: what programs that know only the id go by.</summary>
    public static string PathOfDomain(QubesPaths paths, uint domain) => paths.VchanBrokerSocket(domain.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Starts to serve.</summary>
    /// <param name="guest">The link to the guest; its domains are those the guest sees.</param>
    /// <exception cref="IOException">Another process serves this qube.</exception>
    public static VchanBroker Start(IVchanTransport guest, QubesPaths paths, string qube, uint domain, ILogger log)
    {
        Directory.CreateDirectory(paths.VchanDirectory);
        string path = paths.VchanBrokerSocket(qube);
        UnixListener listener = UnixListener.Bind(
            path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite,
            GroupDatabase.FindId("qubes"));
        string link = PathOfDomain(paths, domain);
        File.Delete(link);
        File.CreateSymbolicLink(link, Path.GetFileName(path));
        return new VchanBroker(guest, listener, link, log);
    }

    public async ValueTask DisposeAsync()
    {
        File.Delete(_idLink);
        _listener.Dispose();
        await _stop.CancelAsync();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _places.WaitAsync(_stop.Token);
                Socket socket = await _listener.AcceptAsync(_stop.Token);
                _ = ServeAsync(socket);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                _places.Release();
                _log.LogWarning("vchan broker: accept failed: {Reason}", e.Message);
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                byte[] bytes = new byte[BrokerRequest.Size];
                using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                patience.CancelAfter(RequestPatience);
                if (await socket.TryReceiveExactlyAsync(bytes, patience.Token) && BrokerRequest.TryRead(bytes) is { } request)
                {
                    IVchan guest = await OpenAsync(request, socket);
                    await socket.SendAllAsync(new[] { BrokerRequest.Done }, _stop.Token);
                    await VchanRelay.RunAsync(new SocketVchan(socket), guest, _stop.Token);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or VchanException or ObjectDisposedException)
            {
                // The program left, the guest refused or we stop: closing the connection says it.
            }
            finally
            {
                _places.Release();
            }
        }
    }

    private async Task<IVchan> OpenAsync(BrokerRequest request, Socket client)
    {
        // The wait for the guest may be long; it ends when the program that asked for it leaves.
        using CancellationTokenSource gone = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        Task watching = WatchAsync(client, gone);
        try
        {
            if (request.Operation == BrokerOperation.Connect)
            {
                return await _guest.ConnectAsync(request.Domain, request.Port, gone.Token);
            }

            await using IVchanListener listener = await _guest.ListenAsync(request.Domain, request.Port, gone.Token);
            await client.SendAllAsync(new[] { BrokerRequest.Done }, gone.Token);
            return await listener.AcceptAsync(gone.Token);
        }
        finally
        {
            await gone.CancelAsync();
            await watching;
        }
    }

    // Programs send nothing before the vchan stands, so readable means gone. Peeking leaves the bytes of one that hurried.
    private static async Task WatchAsync(Socket client, CancellationTokenSource gone)
    {
        try
        {
            if (await client.ReceiveAsync(new byte[1], SocketFlags.Peek, gone.Token) == 0)
            {
                await gone.CancelAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The vchan stands.
        }
        catch (SocketException)
        {
            await gone.CancelAsync();
        }
    }
}
