namespace Qubes.Admin.Limits;

/// <summary>What one caller may take; <see cref="int.MaxValue"/> is without limit.</summary>
/// <param name="Rate">Points it gets back per second.</param>
/// <param name="Burst">Points it can save up.</param>
/// <param name="Parallel">Calls at a time.</param>
/// <param name="Streams">Event streams at a time.</param>
/// <param name="Disposables">Disposables it made that still exist.</param>
internal sealed record CallerLimits(int Rate, int Burst, int Parallel, int Streams, int Disposables)
{
    /// <summary>For qubes: far beyond what tools do, far below what the daemon can bear.</summary>
    public static CallerLimits Default { get; } = new(Rate: 1000, Burst: 5000, Parallel: 64, Streams: 16, Disposables: 50);

    public static CallerLimits None { get; } = new(int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue);
}
