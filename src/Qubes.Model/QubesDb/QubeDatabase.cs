using System.Text;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using Qubes.Protocol.QubesDb;

namespace Qubes.Model.QubesDb;

/// <summary>
/// A qube's QubesDB as the daemon sees it: small values under paths, shared with the guest. It is there while the qube runs;
/// otherwise writes go nowhere and nothing is found. Filled at each start, <c>domain-qdb-create</c> being the time for extensions
/// to add theirs. The guest may write any key, so whatever is read is untrusted. What is written inside a change of the model goes out
/// once that change holds. Belongs to the model loop; nothing here blocks.
/// </summary>
public sealed class QubeDatabase
{
    private readonly LocalQube _qube;
    private readonly Dictionary<string, int> _watches = new(StringComparer.Ordinal);
    private IQubesDbConnection? _connection;

    internal QubeDatabase(LocalQube qube) => _qube = qube;

    /// <summary>There is a database to write to.</summary>
    public bool IsConnected => _connection is not null;

    /// <summary>The paths that are watched whenever the qube runs.</summary>
    public IReadOnlyCollection<string> Watches => _watches.Keys;

    /// <summary>Sets an entry, in the order of calls; a failure is logged, and the database made and filled anew.</summary>
    /// <exception cref="QubesException">The path or value is not one a database can hold.</exception>
    public void Write(string path, string value)
    {
        if (!QubesDbPath.IsEntry(path))
        {
            throw QubesErrors.Value($"Invalid QubesDB path: {path}");
        }

        byte[] bytes = Encoding.UTF8.GetBytes(value);
        if (bytes.Length > QubesDbEntry.MaxValueLength || bytes.AsSpan().Contains((byte)0))
        {
            throw QubesErrors.Value($"Value for QubesDB path {path} is too long or has a zero byte");
        }

        Do(connection => connection.Write(path, bytes));
    }

    /// <summary>Removes an entry, or with a final <c>/</c> all below it. What is not there is no error.</summary>
    public void Remove(string path)
    {
        Verify(path);
        Do(connection => connection.Remove(path));
    }

    /// <summary>Completes when all writes and removals asked for before are done; fails if one of them could not be.</summary>
    public Task FlushAsync() => _connection?.FlushAsync() ?? Task.CompletedTask;

    /// <summary>An entry's value; null if there is none.</summary>
    public Task<byte[]?> ReadUntrustedAsync(string path)
    {
        Verify(path);
        return _connection?.ReadAsync(path) ?? Task.FromResult<byte[]?>(null);
    }

    /// <summary>The entries whose paths start with a text, sorted by path (the final <c>/</c> matters).</summary>
    public Task<IReadOnlyList<QubesDbEntry>> ReadAllUntrustedAsync(string prefix)
    {
        Verify(prefix);
        return _connection?.ReadAllAsync(prefix) ?? Task.FromResult<IReadOnlyList<QubesDbEntry>>([]);
    }

    /// <summary>The paths that start with a text, sorted (the final <c>/</c> matters).</summary>
    public Task<IReadOnlyList<string>> ListUntrustedAsync(string prefix)
    {
        Verify(prefix);
        return _connection?.ListAsync(prefix) ?? Task.FromResult<IReadOnlyList<string>>([]);
    }

    /// <summary>
    /// From now on, whenever the qube runs, a change of this path (with a final <c>/</c>: of what is below it) fires
    /// <c>domain-qdb-change:PATH</c> on the qube, with the changed path as <c>path</c>. Asked for twice it is kept twice.
    /// </summary>
    public void Watch(string path)
    {
        Verify(path);
        int count = _watches.GetValueOrDefault(path);
        _watches[path] = count + 1;
        if (count == 0)
        {
            _connection?.Watch(path);
        }
    }

    /// <summary>Takes back one <see cref="Watch"/>.</summary>
    public void Unwatch(string path)
    {
        switch (_watches.GetValueOrDefault(path))
        {
            case 0:
                break;
            case 1:
                _watches.Remove(path);
                _connection?.Unwatch(path);
                break;
            case int count:
                _watches[path] = count - 1;
                break;
        }
    }

    /// <summary>The qube has a database now: watches begin.</summary>
    public void Attach(IQubesDbConnection connection)
    {
        _connection = connection;
        foreach (string path in _watches.Keys)
        {
            connection.Watch(path);
        }
    }

    /// <summary>The database is gone.</summary>
    public void Detach() => _connection = null;

    public bool IsAttachedTo(IQubesDbConnection connection) => _connection == connection;

    /// <summary>A watched part changed, by whomever.</summary>
    public void TellChange(string path)
    {
        EventArguments arguments = EventArguments.Of("path", path);
        foreach (string watched in _watches.Keys.Where(watched => QubesDbPath.Covers(watched, path)).ToArray())
        {
            _qube.Fire("domain-qdb-change:" + watched, arguments);
        }
    }

    private void Do(Action<IQubesDbConnection> action)
    {
        if (_connection is not { } connection)
        {
            return;
        }

        if (_qube.App.Changes.Current is not { } change)
        {
            action(connection);
            return;
        }

        change.Defer(() =>
        {
            if (_connection is { } current)
            {
                action(current);
            }
        });
    }

    private static void Verify(string path)
    {
        if (!QubesDbPath.IsValid(path))
        {
            throw QubesErrors.Value($"Invalid QubesDB path: {path}");
        }
    }
}
