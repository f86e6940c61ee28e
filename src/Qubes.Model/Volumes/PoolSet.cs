using System.Diagnostics.CodeAnalysis;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Volumes;

/// <summary>
/// The configured pools in order of insertion. The events <c>pool-add</c>, <c>pool-pre-delete</c> and <c>pool-delete</c>
/// are asynchronous and fired by whoever adds or removes a pool (keyword <c>pool</c>, the <see cref="PoolConfig"/>).
/// </summary>
public sealed class PoolSet
{
    private readonly QubesApp _app;
    private PoolConfig[] _items = [];

    internal PoolSet(QubesApp app) => _app = app;

    public IReadOnlyList<PoolConfig> All
    {
        get
        {
            _app.Changes.NoteRead(_app, ModelAspect.Pools);
            return _items;
        }
    }

    public bool TryGet(string name, [NotNullWhen(true)] out PoolConfig? pool)
    {
        pool = Array.Find(_items, p => p.Name == name);
        return pool is not null;
    }

    /// <summary>Adds a pool, or replaces the configuration of the one of the same name in place.</summary>
    public void Set(PoolConfig pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        PoolConfig[] before = _items;
        bool replaces = TryGet(pool.Name, out PoolConfig? old);
        using ChangeScope scope = _app.Changes.Enter();
        Put(replaces ? Array.ConvertAll(before, p => p.Name == pool.Name ? pool : p) : [.. before, pool]);
        scope.Record(() => Put(before), new ChangeRecord("", "pool " + pool.Name, old?.ToString(), pool.ToString()));
        scope.Done();
    }

    /// <exception cref="QubesException"><c>QubesPoolInUseError</c>: see <see cref="RefuseIfUsed"/>.</exception>
    public void Remove(PoolConfig pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        RefuseIfUsed(pool);
        PoolConfig[] before = _items;
        using ChangeScope scope = _app.Changes.Enter();
        Put(Array.FindAll(before, p => p.Name != pool.Name));
        scope.Record(() => Put(before), new ChangeRecord("", "pool " + pool.Name, pool.ToString(), After: null));
        scope.Done();
    }

    /// <summary>Refuses what would take away a pool in which a qube has a volume, or one that is a default pool.</summary>
    /// <exception cref="QubesException"><c>QubesPoolInUseError</c>.</exception>
    public void RefuseIfUsed(PoolConfig pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        if (_app.Domains.OfType<QubesVM>().Any(qube => qube.Volumes.All.Any(volume => volume.Pool == pool.Name)))
        {
            throw QubesErrors.PoolInUse(pool.Name);
        }

        if (QubesAppProperties.DefaultPools.FirstOrDefault(property => property.Get(_app) == pool.Name) is { } property)
        {
            throw QubesErrors.PoolIsDefault(property.Name);
        }
    }

    /// <summary>Takes the pools of the store.</summary>
    public void Load(IEnumerable<PoolConfig> pools) => Put([.. pools]);

    private void Put(PoolConfig[] items)
    {
        _items = items;
        _app.TouchStore(ModelAspect.Pools);
    }
}
