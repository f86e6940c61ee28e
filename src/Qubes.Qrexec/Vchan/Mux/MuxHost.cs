using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Qrexec.Vchan.Broker;

namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>
/// The host end of one qube's link: connects to the hypervisor's socket, again whenever it is lost, serves the broker for other processes, and relays
/// streams between the qube and others. As a transport it is dom0 towards that one qube.
/// </summary>
public sealed class MuxHost : IVchanTransport, IAsyncDisposable
{
    private readonly MuxHostOptions _options;
    private readonly ILogger _logger;
    private readonly MuxLink _link;
    private readonly VchanBroker _broker;
    private readonly string _aliasPath;

    private MuxHost(MuxHostOptions options, ILogger logger)
    {
        _options = options;
        _logger = logger;
        _link = new(MuxRole.Host, options.Link, logger) { ConnectForeign = ConnectForeignAsync };
        _broker = VchanBroker.Bind(_link, options.BrokerPath, options.BrokerMode, options.BrokerGroup, (_, _) => true, logger);
        _aliasPath = Path.Combine(
            Path.GetDirectoryName(options.BrokerPath)!, options.Domain.ToString(CultureInfo.InvariantCulture) + ".broker");
        File.Delete(_aliasPath);
        File.CreateSymbolicLink(_aliasPath, Path.GetFileName(options.BrokerPath));
    }

    /// <summary>The link itself, for its state.</summary>
    public MuxLink Link => _link;

    /// <summary>Binds the broker; the link comes up with <see cref="RunAsync"/>.</summary>
    /// <exception cref="IOException">Another process serves the qube's broker.</exception>
    public static MuxHost Create(MuxHostOptions options, ILogger logger) => new(options, logger);

    /// <summary>Keeps the link up until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task broker = _broker.RunAsync(stop.Token);
        Task link = KeepLinkAsync(stop.Token);
        Task first = await Task.WhenAny(broker, link);
        await stop.CancelAsync();
        await ((Task)Task.WhenAll(broker, link)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }

    public ValueTask<IVchanListener> ListenAsync(uint domain, uint port, CancellationToken cancellationToken = default)
    {
        CheckDomain(domain);
        return _link.ListenAsync(0, port, cancellationToken);
    }

    public ValueTask<IVchan> ConnectAsync(uint domain, uint port, CancellationToken cancellationToken = default)
    {
        CheckDomain(domain);
        return _link.ConnectAsync(0, port, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        File.Delete(_aliasPath);
        _broker.Dispose();
        await _link.DisposeAsync();
    }

    private async Task KeepLinkAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                using (UnixAddress address = new(_options.CarrierPath))
                {
                    await socket.ConnectAsync(address.EndPoint, cancellationToken);
                }

                await using NetworkStream carrier = new(socket);
                await _link.RunAsync(carrier, cancellationToken);
                MuxLog.CarrierLost(_logger, "closed by the hypervisor");
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                MuxLog.CarrierLost(_logger, e.Message);
            }

            await Task.Delay(_options.ReconnectPause, cancellationToken);
        }
    }

    private async ValueTask<IVchan> ConnectForeignAsync(uint domain, uint port, CancellationToken cancellationToken)
    {
        if (domain == _options.Domain || !_options.MayReach(domain, port))
        {
            throw new VchanException("no call runs on this port");
        }

        string directory = Path.GetDirectoryName(_options.BrokerPath)!;
        return await BrokerVchanTransport.ForHost(directory, _options.Domain).ConnectAsync(domain, port, cancellationToken);
    }

    private void CheckDomain(uint domain)
    {
        if (domain != _options.Domain)
        {
            throw new VchanException($"domain {domain} is not behind this link");
        }
    }
}
