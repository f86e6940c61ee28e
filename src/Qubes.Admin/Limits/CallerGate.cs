using System.Runtime.CompilerServices;
using Qubes.Admin.Methods;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Limits;

/// <summary>
/// Keeps one caller from taking what belongs to all. Each call costs points by its class; a caller gets points back at its rate and
/// saves them up to its burst. A call for which there are not enough waits until there are, but no longer than <see cref="LongestWait"/>:
/// beyond that it is refused, and told so only after that time, so that a caller that tries again and again is slowed as well.
/// Belongs to the model loop.
/// </summary>
public sealed class CallerGate(TimeProvider time)
{
    /// <summary>Until a call is carried out or refused.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    // The state of a caller goes with the qube.
    private readonly ConditionalWeakTable<Qube, CallerState> _callers = [];

    /// <summary>Points a call costs.</summary>
    public static int CostOf(AdminMethod method)
    {
        ArgumentNullException.ThrowIfNull(method);
        return method.IsStream ? 20
            : method.Access.HasFlag(AdminAccess.Execute) ? 50
            : method.Access.HasFlag(AdminAccess.Write) ? 10
            : 1;
    }

    /// <summary>
    /// Refuses one more disposable to a caller that has made as many as it may. To be asked where the creation is authorised, in the same
    /// step in which the disposable is added and gets its tag.
    /// </summary>
    /// <exception cref="QubesException"><c>QubesRateLimitedError</c>.</exception>
    public void RequireDisposable(Qube creator)
    {
        ArgumentNullException.ThrowIfNull(creator);
        int most = StateOf(creator).Limits.Disposables;
        if (most == int.MaxValue)
        {
            return;
        }

        string tag = "disp-created-by-" + creator.Name.Value.Replace('.', '_');
        if (creator.App.Domains.Count(qube => qube.Tags.Contains(tag)) >= most)
        {
            throw QubesErrors.RateLimited($"{creator.Name} may not have more than {most} disposables at a time");
        }
    }

    /// <summary>Whether a call may begin. Unless it is refused, <see cref="Leave"/> follows when it is over.</summary>
    internal Admission Enter(Qube caller, AdminMethod method)
    {
        CallerState state = StateOf(caller);
        if (state.IsExempt)
        {
            state.Running++;
            return default;
        }

        CallerLimits limits = state.Limits;
        if (state.Running >= limits.Parallel)
        {
            return Refuse(state, $"more than {limits.Parallel} calls of {caller.Name} at a time");
        }

        if (limits.Rate == int.MaxValue || limits.Burst == int.MaxValue)
        {
            state.Running++;
            return default;
        }

        state.Refill(time.GetTimestamp(), time.TimestampFrequency);
        double left = state.Points - CostOf(method);
        TimeSpan wait = left >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-left / limits.Rate);
        if (wait > LongestWait)
        {
            return Refuse(state, $"{caller.Name} makes more calls than its limit allows");
        }

        state.Points = left;
        state.Running++;
        return new Admission(wait, null);
    }

    /// <summary>Waits as long as an admission says.</summary>
    internal Task WaitAsync(Admission admission) => Task.Delay(admission.Delay, time);

    /// <summary>A call is over.</summary>
    internal void Leave(Qube caller) => StateOf(caller).Running--;

    /// <summary>A call becomes a stream. <see cref="LeaveStream"/> follows when the stream is over.</summary>
    /// <exception cref="QubesException"><c>QubesRateLimitedError</c>: its caller has as many as it may.</exception>
    internal void EnterStream(Qube caller)
    {
        CallerState state = StateOf(caller);
        if (state.Streams >= state.Limits.Streams)
        {
            throw QubesErrors.RateLimited($"more than {state.Limits.Streams} event streams of {caller.Name} at a time");
        }

        state.Streams++;
    }

    /// <summary>A stream is over.</summary>
    internal void LeaveStream(Qube caller) => StateOf(caller).Streams--;

    /// <summary>A refusal was sent.</summary>
    internal void LeaveRefused(Qube caller) => StateOf(caller).Refused--;

    // Those that wait for their refusal hold a connection each: beyond the limit they get it at once.
    private static Admission Refuse(CallerState state, string reason) =>
        new(state.Refused++ < state.Limits.Parallel ? LongestWait : TimeSpan.Zero, reason);

    private CallerState StateOf(Qube caller)
    {
        CallerState state = _callers.GetOrCreateValue(caller);
        if (state.Version != caller.StoreVersion)
        {
            state.Take(LimitFeatures.Of(caller), caller.StoreVersion);
        }

        return state;
    }

    private sealed class CallerState
    {
        private long _lastRefill;

        public long Version { get; private set; } = -1;

        public CallerLimits Limits { get; private set; } = CallerLimits.None;

        public bool IsExempt { get; private set; }

        public double Points { get; set; }

        public int Running { get; set; }

        public int Streams { get; set; }

        public int Refused { get; set; }

        /// <summary>Other limits; a caller begins with all the points it can have.</summary>
        public void Take(CallerLimits limits, long version)
        {
            Points = Version < 0 || limits.Burst > Limits.Burst ? limits.Burst : Math.Min(Points, limits.Burst);
            Limits = limits;
            Version = version;
            IsExempt = limits == CallerLimits.None;
        }

        public void Refill(long now, long frequency)
        {
            Points = Math.Min(Limits.Burst, Points + ((double)(now - _lastRefill) / frequency * Limits.Rate));
            _lastRefill = now;
        }
    }
}
