namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>The life of a link on one carrier.</summary>
public sealed partial class MuxLink
{
    /// <summary>
    /// Runs on <paramref name="carrier"/> until it ends, fails or is cancelled; then all streams are gone. May be called again, with the same carrier or another,
    /// never twice at a time. The carrier stays the caller's.
    /// </summary>
    /// <remarks>
    /// Guest: nothing is read before the first HELLO is written. A virtio-serial port reads as ended while the host end is not connected, but a write waits for
    /// the host; so a disconnected port costs no polling.
    /// </remarks>
    public async Task RunAsync(Stream carrier, CancellationToken cancellationToken = default)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        lock (Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            EndSession();
            _parser.Restart();
            SendHello(withPadding: true);
        }

        try
        {
            if (_role == MuxRole.Guest)
            {
                int n;
                lock (Gate)
                {
                    n = FillBatch();
                }

                await carrier.WriteAsync(_batch.AsMemory(0, n), stop.Token);
            }

            Task receiving = ReceiveLoopAsync(carrier, stop.Token);
            Task sending = SendLoopAsync(carrier, stop.Token);
            Task first = await Task.WhenAny(receiving, sending);
            await stop.CancelAsync();
            await EndOfBothAsync(receiving, sending);
            cancellationToken.ThrowIfCancellationRequested();
            await first;
        }
        finally
        {
            lock (Gate)
            {
                EndSession();
            }
        }
    }

    // The other loop only ends because it was told to; what the first one met is the news.
    private static async Task EndOfBothAsync(Task receiving, Task sending)
    {
        await ((Task)Task.WhenAll(receiving, sending)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
