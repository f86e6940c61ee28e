using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Qrexec.Vchan.Mux;

namespace Qubes.Qrexec.Tests.Vchan;

/// <summary>Both ends of a link over a socket pair, each replaceable, as a daemon or a guest that restarts.</summary>
internal sealed class LinkPair : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _runs = [];
    private readonly List<IDisposable> _carriers = [];

    public LinkPair(MuxOptions? options = null, MuxOptions? hostOptions = null, Func<Stream, Stream>? wrap = null)
    {
        Options = options ?? new MuxOptions { HelloFirstPause = TimeSpan.FromMilliseconds(50) };
        Host = new(MuxRole.Host, hostOptions ?? Options, NullLogger.Instance);
        Guest = new(MuxRole.Guest, Options, NullLogger.Instance);
        (Stream one, Stream other) = SocketStreams.Pair();
        HostCarrier = wrap?.Invoke(one) ?? one;
        GuestCarrier = wrap?.Invoke(other) ?? other;
        HostRun = Start(Host, HostCarrier);
        GuestRun = Start(Guest, GuestCarrier);
    }

    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(60);

    public MuxOptions Options { get; }

    public MuxLink Host { get; }

    public MuxLink Guest { get; }

    public Stream HostCarrier { get; }

    public Stream GuestCarrier { get; }

    public Task HostRun { get; }

    public Task GuestRun { get; }

    public Task Start(MuxLink link, Stream carrier)
    {
        _carriers.Add(carrier);
        Task run = Task.Run(() => link.RunAsync(carrier, _stop.Token));
        _runs.Add(run);
        return run;
    }

    public async Task EstablishedAsync()
    {
        await Host.WaitEstablishedAsync().WaitAsync(Patience);
        await Guest.WaitEstablishedAsync().WaitAsync(Patience);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await ((Task)Task.WhenAll(_runs)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Host.DisposeAsync();
        await Guest.DisposeAsync();
        foreach (IDisposable carrier in _carriers)
        {
            carrier.Dispose();
        }

        _stop.Dispose();
    }
}
