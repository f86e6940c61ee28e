using System.Buffers;

namespace Qubes.Qrexec.Vchan;

/// <summary>Joins two vchans: what one receives the other sends, ends included.</summary>
public static class VchanRelay
{
    private const int BufferSize = 64 * 1024;

    /// <summary>Runs until both directions have ended, then disposes both. Never throws: a lost peer is an end.</summary>
    public static async Task RunAsync(IVchan one, IVchan other, CancellationToken cancellationToken = default)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using (one)
        await using (other)
        {
            Task<bool> forth = CopyAsync(one, other, stop.Token);
            Task<bool> back = CopyAsync(other, one, stop.Token);
            Task<bool> first = await Task.WhenAny(forth, back);
            if (!await first)
            {
                // An end that takes no more is gone; what it sent before has to reach the other, but nothing is to be waited for.
                Task rest = first == forth ? back : forth;
                Task gone = first == forth ? one.Closed : other.Closed;
                await Task.WhenAny(rest, gone);
                await stop.CancelAsync();
            }

            await Task.WhenAll(forth, back);
        }
    }

    // True: the source ended and the sink was told. False: the sink takes no more.
    private static async Task<bool> CopyAsync(IVchan source, IVchan sink, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (true)
            {
                int n = await source.ReadAsync(buffer, cancellationToken);
                if (n == 0)
                {
                    await sink.CompleteWritesAsync(cancellationToken);
                    return true;
                }

                await sink.WriteAsync(buffer.AsMemory(0, n), cancellationToken);
            }
        }
        catch (Exception e) when (e is VchanException or OperationCanceledException)
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
