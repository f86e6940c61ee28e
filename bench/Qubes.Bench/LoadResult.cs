using System.Diagnostics;

namespace Qubes.Bench;

/// <summary>What a load measured.</summary>
/// <param name="Calls">All calls, those of the warm-up too.</param>
/// <param name="PerSecond">Calls that began in the measured time, by its length.</param>
/// <param name="Median">Of the time from before connecting to the end of the answer.</param>
/// <param name="P99">The same, 99 of 100 calls are faster.</param>
internal sealed record LoadResult(int Calls, double PerSecond, TimeSpan Median, TimeSpan P99)
{
    /// <summary>Processor time the daemon used for one call.</summary>
    public TimeSpan DaemonTime { get; init; }

    public static LoadResult Of(int calls, IEnumerable<long> ticks, TimeSpan duration)
    {
        long[] sorted = [.. ticks.Order()];
        return sorted.Length == 0
            ? throw new InvalidOperationException("no call was finished in time")
            : new LoadResult(calls, sorted.Length / duration.TotalSeconds, At(0.5), At(0.99));

        TimeSpan At(double part) => Stopwatch.GetElapsedTime(0, sorted[(int)(part * (sorted.Length - 1))]);
    }
}
