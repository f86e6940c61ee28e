namespace Qubes.Lifecycle.Disposables;

/// <summary>What is waited for while a disposable is prepared ahead of need. Lives as long as the daemon knows the disposable.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "A token source without a timer holds no native resource, and late waiters still look at it.")]
internal sealed class PreloadRun
{
    private readonly CancellationTokenSource _requested = new();
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Somebody wants it now: whatever it waits for is given up.</summary>
    public CancellationToken Requested => _requested.Token;

    /// <summary>It can be used; fails if it never will.</summary>
    public Task Completed => _completed.Task;

    public void Request() => _requested.Cancel();

    public void Complete() => _completed.TrySetResult();

    public void Fail(Exception failure)
    {
        _completed.TrySetException(failure);
        // Nobody may be waiting: the failure is logged where it happened.
        _ = _completed.Task.Exception;
    }
}
