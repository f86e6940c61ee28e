using Qubes.Protocol.QubesDb;

namespace Qubes.Model.QubesDb;

/// <summary>A database nobody else sees: for domains that have no guest, such as the test hypervisor's.</summary>
/// <param name="changed">Told of each change of a watched path.</param>
public sealed class MemoryQubesDb(Action<string> changed) : IQubesDbConnection
{
    private readonly SortedDictionary<string, byte[]> _entries = new(StringComparer.Ordinal);
    private readonly HashSet<string> _watches = new(StringComparer.Ordinal);

    public void Write(string path, byte[] value)
    {
        _entries[path] = value;
        Tell(path);
    }

    public void Remove(string path)
    {
        string[] gone = path.EndsWith('/') ? [.. Under(path)] : _entries.ContainsKey(path) ? [path] : [];
        foreach (string entry in gone)
        {
            _entries.Remove(entry);
        }

        if (gone.Length > 0)
        {
            Tell(path);
        }
    }

    public void Watch(string path) => _watches.Add(path);

    public void Unwatch(string path) => _watches.Remove(path);

    public Task FlushAsync() => Task.CompletedTask;

    public Task<byte[]?> ReadAsync(string path) => Task.FromResult(_entries.GetValueOrDefault(path));

    public Task<IReadOnlyList<QubesDbEntry>> ReadAllAsync(string prefix) =>
        Task.FromResult<IReadOnlyList<QubesDbEntry>>([.. Under(prefix).Select(path => new QubesDbEntry(path, _entries[path]))]);

    public Task<IReadOnlyList<string>> ListAsync(string prefix) => Task.FromResult<IReadOnlyList<string>>([.. Under(prefix)]);

    private IEnumerable<string> Under(string prefix) => _entries.Keys.Where(path => path.StartsWith(prefix, StringComparison.Ordinal));

    private void Tell(string path)
    {
        if (_watches.Any(watched => QubesDbPath.Covers(watched, path)))
        {
            changed(path);
        }
    }
}
