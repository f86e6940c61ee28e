using System.Diagnostics.CodeAnalysis;
using Qubes.Model.Changes;
using Qubes.Model.Classes;

namespace Qubes.Model.Volumes;

/// <summary>The volume configurations of one qube, in order. Every change is recorded with its undo.</summary>
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

    /// <summary>Adds the volume, or replaces the one of the same name in place.</summary>
    public void Set(VolumeConfig volume)
    {
        ArgumentNullException.ThrowIfNull(volume);
        VolumeConfig[] before = _items;
        VolumeConfig? old = Array.Find(before, v => v.Name == volume.Name);
        using ChangeScope scope = _owner.App.Changes.Enter();
        Put(old is null ? [.. before, volume] : Array.ConvertAll(before, v => v.Name == volume.Name ? volume : v));
        scope.Record(() => Put(before), new ChangeRecord(_owner.SubjectText, "volume " + volume.Name, old?.ToString(), volume.ToString()));
        scope.Done();
    }

    public void Remove(string name)
    {
        VolumeConfig[] before = _items;
        if (!TryGet(name, out VolumeConfig? old))
        {
            return;
        }

        using ChangeScope scope = _owner.App.Changes.Enter();
        Put(Array.FindAll(before, v => v.Name != name));
        scope.Record(() => Put(before), new ChangeRecord(_owner.SubjectText, "volume " + name, old.ToString(), After: null));
        scope.Done();
    }

    /// <summary>Takes the volumes of the store.</summary>
    public void Load(IEnumerable<VolumeConfig> volumes) => Put([.. volumes]);

    private void Put(VolumeConfig[] items)
    {
        _items = items;
        _owner.TouchStore(ModelAspect.Volumes);
    }
}
