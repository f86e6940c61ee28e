namespace Qubes.Linux;

/// <summary>A one-shot timer of a <see cref="Reactor"/>, set again as often as wanted. Belongs to the loop's thread.</summary>
public sealed class ReactorTimer
{
    private readonly Reactor _reactor;

    internal ReactorTimer(Reactor reactor, Action callback)
    {
        _reactor = reactor;
        Callback = callback;
    }

    internal Action Callback { get; }

    /// <summary>In milliseconds of <see cref="Environment.TickCount64"/>; <see cref="long.MaxValue"/> when not set.</summary>
    internal long Due { get; set; } = long.MaxValue;

    public bool IsSet => Due != long.MaxValue;

    /// <summary>Calls back once, not before <paramref name="time"/> has passed.</summary>
    public void Set(TimeSpan time) => Due = Environment.TickCount64 + (long)Math.Ceiling(Math.Max(0, time.TotalMilliseconds));

    public void Stop() => Due = long.MaxValue;

    /// <summary>Takes the timer out of its reactor for good.</summary>
    public void Remove()
    {
        Stop();
        _reactor.Remove(this);
    }
}
