namespace Qubes.Model.Tests;

/// <summary>A clock that moves when told.</summary>
internal sealed class ManualTime : TimeProvider
{
    private DateTimeOffset _clock = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private long _passed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _clock;

    public override long GetTimestamp() => _passed;

    public void Advance(TimeSpan by)
    {
        _clock += by;
        _passed += by.Ticks;
    }

    /// <summary>Sets the clock, as an administrator does: no time passes.</summary>
    public void SetClock(TimeSpan by) => _clock += by;
}
