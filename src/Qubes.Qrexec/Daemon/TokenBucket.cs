namespace Qubes.Qrexec.Daemon;

/// <summary>
/// A rate limit: <paramref name="burst"/> tokens at once, refilled with <paramref name="perSecond"/> a second. Used by one caller at a time.
/// </summary>
internal sealed class TokenBucket(double perSecond, double burst, TimeProvider time)
{
    // Tokens taken and not yet refilled: 0 is a full bucket.
    private double _taken;
    private long _at = time.GetTimestamp();

    /// <summary>Takes a token if one is there.</summary>
    public bool TryTake()
    {
        long now = time.GetTimestamp();
        _taken = Math.Max(0, _taken - (time.GetElapsedTime(_at, now).TotalSeconds * perSecond));
        _at = now;
        if (_taken + 1 > burst)
        {
            return false;
        }

        _taken++;
        return true;
    }

    /// <summary>Takes a token, waiting for it if need be.</summary>
    public async ValueTask TakeAsync(CancellationToken cancellation)
    {
        while (!TryTake())
        {
            TimeSpan untilNext = TimeSpan.FromSeconds((_taken + 1 - burst) / perSecond);
            await Task.Delay(untilNext + TimeSpan.FromMilliseconds(1), time, cancellation);
        }
    }
}
