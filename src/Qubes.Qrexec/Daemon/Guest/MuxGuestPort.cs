using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.IO;
using Qubes.Qrexec.Vchan;
using Qubes.Qrexec.Vchan.Broker;
using Qubes.Qrexec.Vchan.Mux;

namespace Qubes.Qrexec.Daemon.Guest;

/// <summary>
/// A guest behind one virtio-serial port, over which all its vchans are multiplexed. Owns the link and the broker socket through
/// which other programs of the host use it.
/// </summary>
/// <remarks>
/// The hypervisor listens on the socket as long as the guest's machine exists, also while the guest reboots. A lost connection
/// therefore means that the machine is gone. Connecting again would be wrong: the next machine of the same name, with a daemon of
/// its own, may already listen there.
/// </remarks>
internal sealed class MuxGuestPort : IGuestPort
{
    // A call that was approved but whose service never connects is given up as qrexec-client-vm gives up.
    private static readonly TimeSpan RelayPatience = TimeSpan.FromSeconds(120);

    private readonly QubesPaths _paths;
    private readonly uint _domain;
    private readonly MuxLink _link;
    private readonly Socket _carrier;
    private readonly GuestBroker _broker;
    private readonly GuestLog _log;
    private readonly CancellationTokenSource _stop = new();

    private MuxGuestPort(QubesPaths paths, uint domain, MuxLink link, Socket carrier, GuestBroker broker, GuestLog log)
    {
        _paths = paths;
        _domain = domain;
        _link = link;
        _carrier = carrier;
        _broker = broker;
        _log = log;
        Gone = RunAsync();
    }

    public Task Gone { get; }

    public int MaxControlBody => QrexecLimits.CommandBody;

    /// <summary>Connects to the guest's port, waiting for the hypervisor to listen there, and serves its broker.</summary>
    public static async Task<MuxGuestPort> ConnectAsync(
        QubesPaths paths, string qube, uint domain, ILogger log, GuestLog guestLog, CancellationToken cancellation)
    {
        Socket carrier = await ConnectCarrierAsync(paths.VchanPortSocket(qube), cancellation);
        MuxLink link = new(MuxRole.Host, new MuxOptions(), log);
        try
        {
            return new MuxGuestPort(paths, domain, link, carrier, GuestBroker.Start(link, paths, qube, domain, log), guestLog);
        }
        catch
        {
            carrier.Dispose();
            await link.DisposeAsync();
            throw;
        }
    }

    public ValueTask<IVchan> ConnectAsync(uint asDomain, uint port, CancellationToken cancellation) =>
        _link.ConnectAsync(asDomain, port, cancellation);

    public void StartRelay(uint peer, uint port) => _ = RelayAsync(peer, port);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _broker.DisposeAsync();
        await _link.DisposeAsync();
        _carrier.Dispose();
        await Gone;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await using NetworkStream stream = new(_carrier, ownsSocket: false);
            await _link.RunAsync(stream, _stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The machine is gone, or we stop.
        }
    }

    private async Task RelayAsync(uint peer, uint port)
    {
        try
        {
            using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            patience.CancelAfter(RelayPatience);
            BrokerVchanTransport peers = BrokerVchanTransport.ForHost(_paths, _domain);
            await using IVchanListener listener = await peers.ListenAsync(peer, port, patience.Token);
            IVchan service = await listener.AcceptAsync(patience.Token);
            IVchan caller;
            try
            {
                caller = await _link.ConnectAsync(peer, port, patience.Token);
            }
            catch
            {
                await service.DisposeAsync();
                throw;
            }

            await VchanRelay.RunAsync(caller, service, _stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or VchanException or ObjectDisposedException)
        {
            _log.Warning($"no data connection with domain {peer} on port {port}: {e.Message}");
        }
    }

    private static async Task<Socket> ConnectCarrierAsync(string path, CancellationToken cancellation)
    {
        TimeSpan pause = TimeSpan.FromMilliseconds(10);
        while (true)
        {
            try
            {
                return await UnixAddress.ConnectAsync(path, cancellation);
            }
            catch (Exception e) when (UnixConnect.IsAbsence(e))
            {
                // The machine is being made.
                await Task.Delay(pause, cancellation);
                pause = TimeSpan.FromMilliseconds(Math.Min(250, pause.TotalMilliseconds * 2));
            }
        }
    }
}
