namespace Qubes.Qrexec.Vchan;

/// <summary>
/// One connected vchan: a reliable byte stream in each direction, without message boundaries. One reader and one writer may work at
/// the same time; two of the same kind may not.
/// </summary>
/// <remarks>
/// <see cref="IAsyncDisposable.DisposeAsync"/> disconnects after what was written: the peer still receives it. It does not wait for the peer.
/// </remarks>
public interface IVchan : IAsyncDisposable
{
    /// <summary>
    /// Reads at least one byte, waiting for it. 0 means that the peer is gone or has finished writing and nothing is left to read;
    /// no other sign of a lost peer is given to a reader.
    /// </summary>
    ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    /// <summary>
    /// Hands over all of <paramref name="data"/>, waiting for room. Throws <see cref="VchanClosedException"/> when the peer is gone; what the peer
    /// sent before may still be read then. A cancelled write may have written a part: only closing is sensible after it.
    /// </summary>
    ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default);

    /// <summary>
    /// Says that nothing more will be written; reading goes on. Peers that know no half close (upstream's socket vchan) take it as a full one.
    /// </summary>
    ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Completes (never faults) when it is known that the peer will read no more, even while received bytes are still unread.
    /// </summary>
    Task Closed { get; }
}
