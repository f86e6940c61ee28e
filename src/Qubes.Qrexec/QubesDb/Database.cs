namespace Qubes.Qrexec.QubesDb;

/// <summary>
/// The entries of one database, in memory only. Not thread-safe: the server's gate guards it. What the peer of the link has written
/// counts against a limit of its own, so that it cannot leave this side without room.
/// </summary>
/// <param name="limit">Of all entries together, in bytes.</param>
/// <param name="peerLimit">Of those the peer has written.</param>
internal sealed class Database(long limit, long peerLimit)
{
    // What an entry costs beside its path and value, roughly.
    private const int EntryCost = 128;

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _paths = new(StringComparer.Ordinal);
    private long _size;
    private long _peerSize;

    public int Count => _entries.Count;

    /// <summary>Null: no such entry.</summary>
    public byte[]? Find(string path) => _entries.TryGetValue(path, out Entry? entry) ? entry.Value : null;

    /// <summary>The entry was written on this side.</summary>
    public bool IsLocal(string path) => _entries.TryGetValue(path, out Entry? entry) && !entry.IsPeers;

    /// <summary>False: there is no room.</summary>
    public bool TryWrite(string path, byte[] value, bool isPeers)
    {
        Entry entry = new(value, isPeers);
        _entries.TryGetValue(path, out Entry? old);
        long size = _size + CostOf(path, entry) - CostOf(path, old);
        long peerSize = _peerSize + PeersPart(path, entry) - PeersPart(path, old);

        // An entry may always shrink: a limit that was reached must not keep anyone from making room.
        if ((size > limit && size > _size) || (peerSize > peerLimit && peerSize > _peerSize))
        {
            return false;
        }

        _size = size;
        _peerSize = peerSize;
        _entries[path] = entry;
        _paths.Add(path);
        return true;
    }

    /// <summary>Removes an entry, or with a final <c>/</c> all below it. False: there was none.</summary>
    public bool Remove(string path)
    {
        if (!path.EndsWith('/'))
        {
            return RemoveEntry(path);
        }

        string[] below = [.. PathsUnder(path)];
        foreach (string entry in below)
        {
            RemoveEntry(entry);
        }

        return below.Length > 0;
    }

    /// <summary>The paths that start so, sorted by their bytes.</summary>
    public IEnumerable<string> PathsUnder(string prefix) =>
        prefix.Length == 0 ? _paths : _paths.GetViewBetween(prefix, prefix + "\x7f");

    private static long CostOf(string path, Entry? entry) => entry is null ? 0 : path.Length + entry.Value.Length + EntryCost;

    private static long PeersPart(string path, Entry? entry) => entry is { IsPeers: true } ? CostOf(path, entry) : 0;

    private bool RemoveEntry(string path)
    {
        if (!_entries.Remove(path, out Entry? old))
        {
            return false;
        }

        _size -= CostOf(path, old);
        _peerSize -= PeersPart(path, old);
        return _paths.Remove(path);
    }

    private sealed record Entry(byte[] Value, bool IsPeers);
}
