using System.Diagnostics.CodeAnalysis;
using Qubes.Model.Changes;
using Qubes.Model.Classes;

namespace Qubes.Model.Volumes;

/// <summary>The volume configurations of one qube, in order. Every change is recorded with its undo, which touches nothing else.</summary>
public sealed class QubeVolumes
{
    private readonly QubesVM _owner;

    // A qube has four volumes, sometimes one or two more.
    private VolumeConfig[] _items = [];

    internal QubeVolumes(QubesVM owner) => _owner = owner;

    public IReadOnlyList<VolumeConfig> All
    {
        get
        {
            _owner.App.Changes.NoteRead(_owner, ModelAspect.Volumes);
            return _items;
        }
    }

    public bool TryGet(string name, [NotNullWhen(true)] out VolumeConfig? volume)
    {
        _owner.App.Changes.NoteRead(_owner, ModelAspect.Volumes);
        volume = Array.Find(_items, v => v.Name == name);
        return volume is not null;
    }

    /// <summary>Adds the volume, or replaces the one of the same name in place; of that, each field that differs is a change of its own.</summary>
    public void Set(VolumeConfig volume)
    {
        ArgumentNullException.ThrowIfNull(volume);
        VolumeConfig? old = Array.Find(_items, v => v.Name == volume.Name);
        using ChangeScope scope = _owner.App.Changes.Enter();
        if (old is null)
        {
            Put([.. _items, volume]);
            scope.RecordStored(() => TakeOut(volume.Name), Record(volume.Name, before: null, Describe(volume)));
        }
        else
        {
            Put(Array.ConvertAll(_items, v => v.Name == volume.Name ? volume : v));
            foreach (VolumeField field in VolumeField.All.Where(field => field.Text(old) != field.Text(volume)))
            {
                scope.RecordStored(
                    () => Copy(field, volume, old),
                    Record($"{volume.Name} {field.Name}", field.Text(old), field.Text(volume)));
            }
        }

        scope.Done();
    }

    public void Remove(string name)
    {
        int at = Array.FindIndex(_items, v => v.Name == name);
        if (at < 0)
        {
            return;
        }

        VolumeConfig old = _items[at];
        using ChangeScope scope = _owner.App.Changes.Enter();
        Put(Array.FindAll(_items, v => v.Name != name));
        scope.RecordStored(
            () => PutBack(at, old),
            Record(name, Describe(old), after: null));
        scope.Done();
    }

    /// <summary>Takes the volumes of the store.</summary>
    public void Load(IEnumerable<VolumeConfig> volumes) => Put([.. volumes]);

    private static string Describe(VolumeConfig volume) =>
        string.Join(' ', VolumeField.All.Where(field => field.Text(volume) is not null).Select(field => $"{field.Name}={field.Text(volume)}"));

    private ChangeRecord Record(string item, string? before, string? after) => new(_owner.SubjectText, "volume " + item, before, after);

    /// <summary>Gives one field the value of another configuration, unless it is not that of the first one any more.</summary>
    /// <returns>What takes this back; null where nothing was done.</returns>
    private Redo? Copy(VolumeField field, VolumeConfig current, VolumeConfig wanted)
    {
        if (Array.Find(_items, v => v.Name == current.Name) is not { } now || field.Text(now) != field.Text(current))
        {
            return null;
        }

        Put(wanted);
        return () =>
        {
            if (Array.Find(_items, v => v.Name == current.Name) is not { } before)
            {
                return null;
            }

            Put(current);
            return () => Copy(field, current, before);
        };

        void Put(VolumeConfig from) => this.Put(Array.ConvertAll(_items, v => v.Name == from.Name ? field.Copy(v, from) : v));
    }

    // Each gives what takes it back; null where nothing was to do any more.
    private Redo? TakeOut(string name)
    {
        int at = Array.FindIndex(_items, v => v.Name == name);
        if (at < 0)
        {
            return null;
        }

        VolumeConfig taken = _items[at];
        int place = at < _items.Length - 1 ? at : int.MaxValue;
        Put(Array.FindAll(_items, v => v.Name != name));
        return () => PutBack(place, taken) is null ? null : () => TakeOut(name);
    }

    private Redo? PutBack(int at, VolumeConfig volume)
    {
        if (Array.Exists(_items, v => v.Name == volume.Name))
        {
            return null;
        }

        at = Math.Min(at, _items.Length);
        Put([.. _items[..at], volume, .. _items[at..]]);
        return () =>
        {
            int here = Array.FindIndex(_items, v => v.Name == volume.Name);
            return TakeOut(volume.Name) is null ? null : () => PutBack(here, volume);
        };
    }

    private void Put(VolumeConfig[] items)
    {
        _items = items;
        _owner.TouchStore(ModelAspect.Volumes);
    }
}
