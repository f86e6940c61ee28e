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

    /// <summary>
    /// Adds a pool, or replaces the options of the one of the same name and driver; of those, each that differs is a change of its own.
    /// </summary>
    public void Set(PoolConfig pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        using ChangeScope scope = _app.Changes.Enter();
        if (!TryGet(pool.Name, out PoolConfig? old))
        {
            Put([.. _items, pool]);
            scope.RecordStored(() => TakeOut(pool.Name), Record(pool.Name, before: null, Describe(pool)));
        }
        else if (old.Driver != pool.Driver)
        {
            throw new ArgumentException("a pool keeps its driver", nameof(pool));
        }
        else
        {
            Put(Array.ConvertAll(_items, p => p.Name == pool.Name ? pool : p));
            foreach (string option in old.Options.Concat(pool.Options).Select(o => o.Key).Distinct(StringComparer.Ordinal).Where(o => old[o] != pool[o]))
            {
                scope.RecordStored(
                    () => Replace(pool.Name, option, pool[option], old[option]),
                    Record($"{pool.Name} {option}", old[option], pool[option]));
            }
        }

        scope.Done();
    }

    /// <exception cref="QubesException"><c>QubesPoolInUseError</c>: see <see cref="RefuseIfUsed"/>.</exception>
    public void Remove(PoolConfig pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        RefuseIfUsed(pool);
        int at = Array.FindIndex(_items, p => p.Name == pool.Name);
        if (at < 0)
        {
            return;
        }

        PoolConfig old = _items[at];
        using ChangeScope scope = _app.Changes.Enter();
        Put(Array.FindAll(_items, p => p.Name != pool.Name));
        scope.RecordStored(
            () => PutBack(at, old),
            Record(pool.Name, Describe(old), after: null));
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

    private static string Describe(PoolConfig pool) => string.Join(' ', pool.Options.Select(o => $"{o.Key}={o.Value}").Prepend("driver=" + pool.Driver));

    private static ChangeRecord Record(string item, string? before, string? after) => new("", "pool " + item, before, after);

    /// <summary>Puts one value of an option in the place of another, null for none, unless it is yet another by now.</summary>
    /// <returns>What takes this back; null where nothing was done.</returns>
    private Redo? Replace(string name, string option, string? current, string? wanted)
    {
        if (!TryGet(name, out PoolConfig? now) || now[option] != current)
        {
            return null;
        }

        Put(wanted);
        return () =>
        {
            if (!TryGet(name, out PoolConfig? here))
            {
                return null;
            }

            string? before = here[option];
            Put(current);
            return () => Replace(name, option, current, before);
        };

        void Put(string? value) => this.Put(Array.ConvertAll(_items, p => p.Name == name ? p.With(option, value) : p));
    }

    // Each gives what takes it back; null where nothing was to do any more.
    private Redo? TakeOut(string name)
    {
        int at = Array.FindIndex(_items, p => p.Name == name);
        if (at < 0)
        {
            return null;
        }

        PoolConfig taken = _items[at];
        int place = at < _items.Length - 1 ? at : int.MaxValue;
        Put(Array.FindAll(_items, p => p.Name != name));
        return () => PutBack(place, taken) is null ? null : () => TakeOut(name);
    }

    private Redo? PutBack(int at, PoolConfig pool)
    {
        if (Array.Exists(_items, p => p.Name == pool.Name))
        {
            return null;
        }

        at = Math.Min(at, _items.Length);
        Put([.. _items[..at], pool, .. _items[at..]]);
        return () =>
        {
            int here = Array.FindIndex(_items, p => p.Name == pool.Name);
            return TakeOut(pool.Name) is null ? null : () => PutBack(here, pool);
        };
    }

    private void Put(PoolConfig[] items)
    {
        _items = items;
        _app.TouchStore(ModelAspect.Pools);
    }
}
