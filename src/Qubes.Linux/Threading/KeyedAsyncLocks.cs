namespace Qubes.Linux;

/// <summary>One <see cref="AsyncLock"/> per key, existing only while somebody holds or awaits it. Thread-safe.</summary>
public sealed class KeyedAsyncLocks<TKey> where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, Entry> _entries;

    public KeyedAsyncLocks(IEqualityComparer<TKey>? comparer = null) => _entries = new Dictionary<TKey, Entry>(comparer);

    /// <summary>How many keys are locked or awaited.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _entries.Count;
        }
    }

    public bool IsHeld(TKey key)
    {
        lock (_gate)
            return _entries.TryGetValue(key, out var entry) && entry.Lock.IsHeld;
    }

    public async ValueTask<Holder> AcquireAsync(TKey key, CancellationToken cancellationToken = default)
    {
        Entry? entry;
        lock (_gate)
        {
            if (!_entries.TryGetValue(key, out entry))
                _entries.Add(key, entry = new Entry());
            entry.Users++;
        }

        try
        {
            return new Holder(this, key, await entry.Lock.AcquireAsync(cancellationToken));
        }
        catch
        {
            Leave(key);
            throw;
        }
    }

    private void Leave(TKey key)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(key, out var entry) && --entry.Users == 0)
                _entries.Remove(key);
        }
    }

    private sealed class Entry
    {
        public AsyncLock Lock { get; } = new();

        /// <summary>Holders and waiters; the entry lives while it is above zero.</summary>
        public int Users { get; set; }
    }

    /// <summary>Ownership of one key's lock; dispose it exactly once.</summary>
    public readonly struct Holder(KeyedAsyncLocks<TKey> owner, TKey key, AsyncLock.Holder inner) : IDisposable
    {
        public void Dispose()
        {
            inner.Dispose();
            owner?.Leave(key);
        }
    }
}
