namespace Qubes.Qrexec.Vchan;

/// <summary>What everyone needs on top of <see cref="IVchan"/>.</summary>
public static class VchanExtensions
{
    /// <summary>
    /// Fills <paramref name="buffer"/>. False when the peer went away before its first byte; going away in the middle throws.
    /// </summary>
    /// <exception cref="VchanClosedException">The stream ended inside.</exception>
    public static async ValueTask<bool> TryReadExactlyAsync(this IVchan vchan, Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int done = 0;
        while (done < buffer.Length)
        {
            int n = await vchan.ReadAsync(buffer[done..], cancellationToken);
            if (n == 0)
            {
                return done == 0 ? false : throw new VchanClosedException();
            }

            done += n;
        }

        return true;
    }

    /// <summary>Fills <paramref name="buffer"/> or throws <see cref="VchanClosedException"/>.</summary>
    public static async ValueTask ReadExactlyAsync(this IVchan vchan, Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!await vchan.TryReadExactlyAsync(buffer, cancellationToken) && buffer.Length > 0)
        {
            throw new VchanClosedException();
        }
    }
}
