using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Linux;
using Qubes.Qrexec.Vchan.Mux;

namespace Qubes.Qrexec.Tests.Daemon;

/// <summary>What the hypervisor and the guest's kernel are for a daemon: the socket of the virtio-serial port and the guest's end of the link.</summary>
internal sealed class FakeMachine : IAsyncDisposable
{
    private readonly UnixListener _port;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private Socket? _carrier;

    public FakeMachine(QubesPaths paths, string name)
    {
        Directory.CreateDirectory(paths.VchanDirectory);
        _port = UnixListener.Bind(paths.VchanPortSocket(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Link = new MuxLink(MuxRole.Guest, new MuxOptions(), NullLogger.Instance);
        _running = RunAsync();
    }

    /// <summary>The guest's vchans.</summary>
    public MuxLink Link { get; private set; }

    /// <summary>The machine is powered off: everything of it is gone at once.</summary>
    public async ValueTask DisposeAsync()
    {
        _port.Dispose();
        await _stop.CancelAsync();
        _carrier?.Dispose();
        await _running;
        await Link.DisposeAsync();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            _carrier = await _port.AcceptAsync(_stop.Token);
            await using NetworkStream stream = new(_carrier, ownsSocket: false);
            await Link.RunAsync(stream, _stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // Powered off, or the host let go.
        }
    }
}
