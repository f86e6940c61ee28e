using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Qubes.Libvirt;

/// <summary>
/// Everything this process has to do with one hypervisor: calls on lanes, and one stream of events that survives a lost
/// connection.
/// </summary>
public sealed class LibvirtSession : IAsyncDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);

    // Unbounded: the writer is libvirt's event thread, which must never wait, and the hypervisor is trusted.
    private readonly Channel<HypervisorEvent> _events =
        Channel.CreateUnbounded<HypervisorEvent>(new UnboundedChannelOptions { SingleReader = true });

    private readonly CancellationTokenSource _stopping = new();
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Task _watch;

    private LibvirtSession(string uri, EventConnection first, LaneOptions? options, TimeProvider time, ILogger log)
    {
        Uri = uri;
        DriverName = first.DriverName;
        _time = time;
        _log = log;
        Lanes = new LaneSet(() => LibvirtConnection.Open(uri), options, time, log);
        _watch = WatchAsync(first);
    }

    public string Uri { get; }

    /// <summary><c>QEMU</c>, <c>Xen</c> or <c>TEST</c>.</summary>
    public string DriverName { get; }

    public LaneSet Lanes { get; }

    /// <summary>Events in order; one reader. Begins with <see cref="HypervisorConnected"/>, ends when the session is disposed.</summary>
    public ChannelReader<HypervisorEvent> Events => _events.Reader;

    /// <exception cref="LibvirtException">The hypervisor cannot be reached.</exception>
    public static async Task<LibvirtSession> OpenAsync(string uri, LaneOptions? options = null, TimeProvider? time = null, ILogger? log = null)
    {
        var first = await Task.Run(() => EventConnection.Open(uri));
        return new LibvirtSession(uri, first, options, time ?? TimeProvider.System, log ?? NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watch;
        Lanes.Dispose();
        _events.Writer.TryComplete();
        _stopping.Dispose();
    }

    private async Task WatchAsync(EventConnection? connection)
    {
        // Leaves the constructor's thread: subscribing may block.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (connection is not null)
        {
            string? reason = null;
            try
            {
                connection.Subscribe(_events.Writer);
                _events.Writer.TryWrite(new HypervisorConnected());
                reason = await connection.Closed.WaitAsync(_stopping.Token);
            }
            catch (OperationCanceledException)
            {
                // Stopping.
            }
            catch (LibvirtException failure)
            {
                reason = failure.Message;
            }

            connection.Dispose();
            if (reason is null)
                return;
            _log.LogError("The connection to {Uri} broke: {Reason}", Uri, reason);
            _events.Writer.TryWrite(new HypervisorDisconnected(reason));
            connection = await ReopenAsync();
        }
    }

    private async Task<EventConnection?> ReopenAsync()
    {
        for (var delay = FirstRetry; ; delay = delay < LongestRetry ? delay * 2 : LongestRetry)
        {
            try
            {
                await Task.Delay(delay, _time, _stopping.Token);
                var connection = EventConnection.Open(Uri);
                _log.LogInformation("Connected to {Uri} again", Uri);
                return connection;
            }
            catch (OperationCanceledException)
            {
                return null;
            }
            catch (LibvirtException)
            {
                // Not back yet: the loss was reported once, the return will be too.
            }
        }
    }
}
