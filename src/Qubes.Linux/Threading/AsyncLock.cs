namespace Qubes.Linux;

/// <summary>A mutual exclusion lock whose waiting does not block a thread. Waiters enter in order of arrival; not reentrant.</summary>
/// <remarks>Usage: <c>using (await gate.AcquireAsync(token)) { … }</c>.</remarks>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "A SemaphoreSlim whose wait handle is not asked for holds no native resource.")]
public sealed class AsyncLock
{
    private readonly SemaphoreSlim _semaphore = new(1, 1);

    public bool IsHeld => _semaphore.CurrentCount == 0;

    public async ValueTask<Holder> AcquireAsync(CancellationToken cancellationToken = default)
    {
        await _semaphore.WaitAsync(cancellationToken);
        return new Holder(this);
    }

    /// <summary>Takes the lock if it is free now.</summary>
    public bool TryAcquire(out Holder holder)
    {
        var acquired = _semaphore.Wait(0, CancellationToken.None);
        holder = acquired ? new Holder(this) : default;
        return acquired;
    }

    /// <summary>Ownership of the lock; dispose it exactly once.</summary>
    public readonly struct Holder(AsyncLock owner) : IDisposable
    {
        public void Dispose() => owner?._semaphore.Release();
    }
}
