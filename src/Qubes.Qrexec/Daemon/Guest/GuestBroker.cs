using System.Globalization;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Vchan;
using Qubes.Qrexec.Vchan.Broker;

namespace Qubes.Qrexec.Daemon.Guest;

/// <summary>
/// The broker of one guest's link for the other programs of the host, which are as trusted as this one. It is found under the qube's
/// name, and under its domain id by those who know only that. The control link is not to be had: it is this daemon's.
/// </summary>
internal sealed class GuestBroker : IAsyncDisposable
{
    private readonly VchanBroker _broker;
    private readonly string _idLink;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    private GuestBroker(VchanBroker broker, string idLink)
    {
        _broker = broker;
        _idLink = idLink;
        _running = broker.RunAsync(_stop.Token);
    }

    /// <summary>Starts to serve.</summary>
    /// <exception cref="IOException">Another process serves this qube.</exception>
    public static GuestBroker Start(IVchanTransport link, QubesPaths paths, string qube, uint domain, ILogger log)
    {
        const UnixFileMode OwnerAndGroup =
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
        Directory.CreateDirectory(paths.QubesRunDirectory);
        string path = paths.VchanBrokerSocket(qube);
        VchanBroker broker = VchanBroker.Bind(
            link, path, OwnerAndGroup, GroupDatabase.FindOwnId("qubes"), static (_, port) => port != QrexecPorts.Control, log);
        string idLink = paths.VchanBrokerSocket(domain.ToString(CultureInfo.InvariantCulture));
        File.Delete(idLink);
        File.CreateSymbolicLink(idLink, Path.GetFileName(path));
        return new GuestBroker(broker, idLink);
    }

    public async ValueTask DisposeAsync()
    {
        File.Delete(_idLink);
        _broker.Dispose();
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }
}
