using Qubes.Lifecycle.Daemons;

namespace Qubes.Lifecycle.Control;

/// <summary>One life of a qube's domain: from just before its launch until its stop is handled. Belongs to the model loop.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "A token source without a timer holds no native resource, and late waiters still look at it.")]
internal sealed class QubeRun
{
    private readonly TaskCompletionSource _stopHandled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _ended = new();

    /// <summary>The hypervisor told that this run's domain has started. A stop told before that is an earlier run's.</summary>
    public bool HasStarted { get; set; }

    /// <summary>The launch returned: from here on a stop is handled at once. Before it, the start itself deals with it.</summary>
    public bool IsLaunched { get; set; }

    /// <summary>The domain is gone; set once.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>The guest can be used: its qrexec daemon serves, or it has none.</summary>
    public bool IsUsable { get; set; }

    /// <summary>The next Suspended event is part of our own launch.</summary>
    public bool SwallowSuspended { get; set; }

    /// <summary>The next Resumed event is our own resume, whose caller fires <c>domain-unpaused</c> itself.</summary>
    public bool SwallowResumed { get; set; }

    /// <summary>The guest was told to get ready for a suspend, and not yet that it is over.</summary>
    public bool IsPreparedForSleep { get; set; }

    /// <summary>The daemons it has, one of a kind at most.</summary>
    public Dictionary<IQubeDaemons, QubeDaemon> Daemons { get; } = [];

    /// <summary>Cancelled when the domain is gone: ends every wait for the guest.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Completes after the handlers of <c>domain-shutdown</c>; fails as the first of them did.</summary>
    public Task StopHandled => _stopHandled.Task;

    public bool IsAlive => IsLaunched && !HasEnded;

    public void End()
    {
        HasEnded = true;
        _ended.Cancel();
    }

    public void FinishStop(Exception? failure)
    {
        if (failure is null)
        {
            _stopHandled.TrySetResult();
            return;
        }

        _stopHandled.TrySetException(failure);
        // Nobody may be waiting: then this failure was logged and is no surprise to the runtime.
        _ = _stopHandled.Task.Exception;
    }
}
