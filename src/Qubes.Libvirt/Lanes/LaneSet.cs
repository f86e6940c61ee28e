using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Qubes.Libvirt;

/// <summary>
/// Blocking calls, spread over a few threads: those of one lane one at a time in order, those of different lanes side by side.
/// A call that overruns its deadline is reported, its thread written off and replaced, and only its own lane waits for it.
/// </summary>
/// <remarks>
/// Everything mutable is guarded by <c>_gate</c>, which is never held across a call. Lock order: <c>_gate</c> is innermost; outcomes
/// are handed over outside it (their continuations run asynchronously in any case).
/// </remarks>
public sealed class LaneSet : IDisposable
{
    private readonly object _gate = new();
    private readonly Dictionary<string, Lane> _lanes = new(StringComparer.Ordinal);
    private readonly Queue<Lane> _ready = [];
    private readonly List<LaneCall> _hung = [];
    private readonly Func<LibvirtConnection> _open;
    private readonly LaneOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <summary>Threads that take calls; those with a hung call do not count.</summary>
    private int _workers;
    private int _idle;
    private bool _disposed;

    /// <param name="open">Opens a worker's connection; may block.</param>
    public LaneSet(Func<LibvirtConnection> open, LaneOptions? options = null, TimeProvider? time = null, ILogger? log = null)
    {
        _open = open;
        _options = options ?? new LaneOptions();
        _time = time ?? TimeProvider.System;
        _log = log ?? NullLogger.Instance;
    }

    /// <summary>Who hangs, since when, in which call.</summary>
    public IReadOnlyList<HungCall> HungCalls
    {
        get
        {
            lock (_gate)
                return _hung.ConvertAll(Describe);
        }
    }

    /// <summary>Makes a call on a lane.</summary>
    /// <param name="lane">The qube's name.</param>
    /// <param name="call">What it does, for reports.</param>
    /// <param name="function">The call. It must look its domain up itself: it may be repeated on a new connection.</param>
    /// <param name="deadline">Null: <see cref="LaneOptions.Deadline"/>.</param>
    /// <param name="cancellationToken">Takes back a call that was not begun.</param>
    /// <exception cref="LaneTimeoutException">Not done by the deadline.</exception>
    /// <exception cref="LibvirtException">libvirt refused.</exception>
    public Task<T> RunAsync<T>(string lane, string call, Func<LibvirtConnection, T> function, TimeSpan? deadline = null,
        CancellationToken cancellationToken = default)
    {
        LaneCall<T> queued;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_lanes.TryGetValue(lane, out var target))
                _lanes.Add(lane, target = new Lane(lane));
            queued = new LaneCall<T>(target, call, function);
            target.Waiting.Enqueue(queued);
            queued.Deadline = _time.CreateTimer(static state => ((OverdueState)state!).Fire(), new OverdueState(this, queued),
                deadline ?? _options.Deadline, Timeout.InfiniteTimeSpan);
            Schedule(target);
        }

        if (cancellationToken.CanBeCanceled)
        {
            queued.Cancellation = cancellationToken.Register(() => Abandon(queued, cancellationToken));
            if (queued.Outcome.IsCompleted)
                queued.Cancellation.Unregister();
        }

        return queued.Outcome;
    }

    /// <summary>
    /// Makes a call that must not wait behind the lane's others: to end a qube whose call hangs. Such calls are serialised
    /// among themselves.
    /// </summary>
    public Task<T> RunUrgentAsync<T>(string lane, string call, Func<LibvirtConnection, T> function, TimeSpan? deadline = null,
        CancellationToken cancellationToken = default) =>
        // '!' occurs in no qube's name.
        RunAsync(lane + "!", call, function, deadline, cancellationToken);

    /// <summary>Refuses new calls, fails waiting ones and lets threads end as their calls return.</summary>
    public void Dispose()
    {
        List<LaneCall> waiting = [];
        lock (_gate)
        {
            _disposed = true;
            foreach (var lane in _lanes.Values)
            {
                waiting.AddRange(lane.Waiting.Where(call => call.State == LaneCall.Phase.Waiting));
                lane.Waiting.Clear();
            }

            foreach (var call in waiting)
                call.State = LaneCall.Phase.Abandoned;
            Monitor.PulseAll(_gate);
        }

        foreach (var call in waiting)
        {
            Release(call);
            call.Fail(new ObjectDisposedException(nameof(LaneSet)));
        }
    }

    private static HungCall Describe(LaneCall call) => new(call.Lane.Name, call.Name, call.Since);

    private static void Release(LaneCall call)
    {
        call.Deadline?.Dispose();
        call.Cancellation.Unregister();
    }

    /// <summary>Offers the lane to the workers if it has a call to make and is free. Holds the gate.</summary>
    private void Schedule(Lane lane)
    {
        while (lane.Waiting.TryPeek(out var next) && next.State == LaneCall.Phase.Abandoned)
            lane.Waiting.Dequeue();
        if (lane.Current is not null || lane.IsScheduled)
            return;
        if (lane.Waiting.Count == 0)
        {
            _lanes.Remove(lane.Name);
            return;
        }

        lane.IsScheduled = true;
        _ready.Enqueue(lane);
        if (_idle >= _ready.Count)
            Monitor.Pulse(_gate);
        else
            StartWorkerIfAllowed();
    }

    private void StartWorkerIfAllowed()
    {
        if (_workers >= _options.Workers || _workers + _hung.Count >= _options.Workers + _options.ReplaceableWorkers)
            return;
        _workers++;
        new Thread(Work) { Name = "libvirt lane", IsBackground = true }.Start();
    }

    private void Work()
    {
        using var connection = new LaneConnection(_open);
        while (Take() is { } call)
        {
            call.Invoke(connection);
            if (!Finish(call))
                return;
        }
    }

    /// <summary>The next call to make; null when this worker is to end.</summary>
    private LaneCall? Take()
    {
        lock (_gate)
        {
            while (true)
            {
                while (_ready.TryDequeue(out var lane))
                {
                    lane.IsScheduled = false;
                    while (lane.Waiting.TryDequeue(out var call))
                    {
                        if (call.State != LaneCall.Phase.Waiting)
                            continue;
                        call.State = LaneCall.Phase.UnderWay;
                        call.Since = _time.GetUtcNow();
                        lane.Current = call;
                        return call;
                    }

                    _lanes.Remove(lane.Name);
                }

                if (_disposed)
                {
                    _workers--;
                    return null;
                }

                _idle++;
                Monitor.Wait(_gate);
                _idle--;
            }
        }
    }

    /// <summary>Frees the lane and hands the outcome over.</summary>
    /// <returns>False when this worker was replaced meanwhile and is to end.</returns>
    private bool Finish(LaneCall call)
    {
        bool wasHung;
        lock (_gate)
        {
            wasHung = call.State == LaneCall.Phase.Hung;
            call.State = LaneCall.Phase.Done;
            call.Lane.Current = null;
            _hung.Remove(call);
            Schedule(call.Lane);
        }

        Release(call);
        call.Complete();
        if (wasHung)
            _log.LogWarning("'{Call}' for {Lane}, hung since {Since:u}, has returned", call.Name, call.Lane.Name, call.Since);
        return !wasHung;
    }

    private void Overdue(LaneCall call)
    {
        HungCall? hung = null;
        bool underWay;
        lock (_gate)
        {
            switch (call.State)
            {
                case LaneCall.Phase.UnderWay:
                    underWay = true;
                    call.State = LaneCall.Phase.Hung;
                    hung = Describe(call);
                    _hung.Add(call);
                    // Its thread ends when the call returns. Others go on with a new one.
                    _workers--;
                    if (_ready.Count > 0)
                        StartWorkerIfAllowed();
                    break;
                case LaneCall.Phase.Waiting:
                    underWay = false;
                    call.State = LaneCall.Phase.Abandoned;
                    if (call.Lane.Current is { State: LaneCall.Phase.Hung } blocker)
                        hung = Describe(blocker);
                    break;
                default:
                    return;
            }
        }

        call.Fail(new LaneTimeoutException(call.Lane.Name, call.Name, underWay, hung));
        Release(call);
        if (underWay)
            _log.LogError("'{Call}' for {Lane} hangs since {Since:u}", call.Name, call.Lane.Name, call.Since);
    }

    private void Abandon(LaneCall call, CancellationToken token)
    {
        lock (_gate)
        {
            if (call.State != LaneCall.Phase.Waiting)
                return;
            call.State = LaneCall.Phase.Abandoned;
        }

        call.Cancel(token);
        call.Deadline?.Dispose();
    }

    private sealed class OverdueState(LaneSet owner, LaneCall call)
    {
        internal void Fire() => owner.Overdue(call);
    }
}
