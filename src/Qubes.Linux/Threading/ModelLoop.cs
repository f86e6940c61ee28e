using System.Diagnostics;

namespace Qubes.Linux;

/// <summary>
/// The one thread that owns the model. Code running on it may touch model objects and must not block; an <c>await</c> in such
/// code comes back to it, so handlers interleave only there.
/// </summary>
public sealed class ModelLoop : SynchronizationContext, IAsyncDisposable
{
    private readonly Thread _thread;
    private readonly Action<Exception> _onUnhandled;
    private readonly ILoopWaiter? _waiter;
    private readonly object _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Guarded by _gate. The thread swaps the list for an empty one and runs what it took without holding the gate.
    private List<(SendOrPostCallback Callback, object? State)> _queue = [];
    private bool _waiting;
    private bool _stopping;

    /// <param name="onUnhandled">
    /// Told of exceptions that nobody awaits (posted callbacks). Runs on the loop. The daemon logs and goes on.
    /// </param>
    /// <param name="waiter">What to sleep on, and to look at between batches; stays the caller's. Default: a condition variable.</param>
    public ModelLoop(Action<Exception> onUnhandled, string name = "model", ILoopWaiter? waiter = null)
    {
        _onUnhandled = onUnhandled;
        _waiter = waiter;
        _thread = new Thread(Run) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>True on the loop's own thread.</summary>
    public bool IsCurrent => Thread.CurrentThread == _thread;

    /// <summary>In DEBUG builds, throws when the caller is not on the loop.</summary>
    [Conditional("DEBUG")]
    public void VerifyAccess()
    {
        if (!IsCurrent)
            throw new InvalidOperationException("The model was touched outside its loop.");
    }

    /// <summary>Runs <paramref name="d"/> on the loop, after everything posted before. After the stop: dropped.</summary>
    public override void Post(SendOrPostCallback d, object? state) => TryPost(d, state);

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (!IsCurrent)
            throw new NotSupportedException("Waiting for the model loop would block a thread: use InvokeAsync.");
        d(state);
    }

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs <paramref name="action"/> on the loop; the task carries its outcome. Its continuations run elsewhere.</summary>
    public Task InvokeAsync(Action action) => InvokeAsync(() =>
    {
        action();
        return true;
    });

    /// <inheritdoc cref="InvokeAsync(Action)"/>
    public Task<T> InvokeAsync<T>(Func<T> function)
    {
        var outcome = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(outcome, () =>
        {
            try
            {
                outcome.SetResult(function());
            }
            catch (Exception failure)
            {
                outcome.SetException(failure);
            }
        });
        return outcome.Task;
    }

    /// <summary>Runs an async method on the loop, continuing on it after each await.</summary>
    public Task InvokeAsync(Func<Task> function) => InvokeAsync(async () =>
    {
        await function();
        return true;
    });

    /// <inheritdoc cref="InvokeAsync(Func{Task})"/>
    public Task<T> InvokeAsync<T>(Func<Task<T>> function)
    {
        var outcome = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(outcome, () => _ = CompleteAsync(function, outcome));
        return outcome.Task;
    }

    /// <summary>Runs what is queued, including what that queues, then ends the thread. Not to be awaited on the loop.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.Pulse(_gate);
        }

        _waiter?.Wake();
        await _ended.Task;
    }

    private static async Task CompleteAsync<T>(Func<Task<T>> function, TaskCompletionSource<T> outcome)
    {
        try
        {
            outcome.SetResult(await function());
        }
        catch (OperationCanceledException cancelled)
        {
            outcome.TrySetCanceled(cancelled.CancellationToken);
        }
        catch (Exception failure)
        {
            outcome.SetException(failure);
        }
    }

    private void Enqueue<T>(TaskCompletionSource<T> outcome, Action action)
    {
        if (!TryPost(static run => ((Action)run!)(), action))
            outcome.SetException(new ObjectDisposedException(nameof(ModelLoop)));
    }

    private bool TryPost(SendOrPostCallback callback, object? state)
    {
        lock (_gate)
        {
            if (_stopping && !IsCurrent)
                return false;
            _queue.Add((callback, state));
            if (_waiting)
                Monitor.Pulse(_gate);
        }

        // On the loop itself the queue is looked at before the next sleep.
        if (_waiter is not null && !IsCurrent)
            _waiter.Wake();
        return true;
    }

    private void Run()
    {
        SetSynchronizationContext(this);
        List<(SendOrPostCallback Callback, object? State)> batch = [];
        while (Take(ref batch))
        {
            foreach (var (callback, state) in batch)
            {
                try
                {
                    callback(state);
                }
                catch (Exception failure)
                {
                    _onUnhandled(failure);
                }
            }

            batch.Clear();
        }

        _ended.SetResult();
    }

    private bool Take(ref List<(SendOrPostCallback Callback, object? State)> batch)
    {
        if (_waiter is not null)
            return TakeFrom(_waiter, ref batch);

        lock (_gate)
        {
            while (_queue.Count == 0)
            {
                if (_stopping)
                    return false;
                _waiting = true;
                Monitor.Wait(_gate);
                _waiting = false;
            }

            (batch, _queue) = (_queue, batch);
            return true;
        }
    }

    /// <summary>As <see cref="Take"/>, sleeping on the waiter. Between two batches it gets a turn however full the queue is.</summary>
    private bool TakeFrom(ILoopWaiter waiter, ref List<(SendOrPostCallback Callback, object? State)> batch)
    {
        bool nothingToDo;
        lock (_gate)
            nothingToDo = _queue.Count == 0 && !_stopping;

        waiter.Wait(block: nothingToDo);
        lock (_gate)
        {
            if (_queue.Count == 0 && _stopping)
                return false;
            (batch, _queue) = (_queue, batch);
            return true;
        }
    }
}
