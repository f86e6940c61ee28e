using Qubes.Model.Changes;
using Qubes.Model.Classes;

namespace Qubes.Model.Devices;

/// <summary>The device assignments of one qube, in order. Changes are recorded; device events are the device layer's to fire.</summary>
public sealed class DeviceAssignments
{
    private readonly LocalQube _owner;
    private List<DeviceAssignment>? _items;

    internal DeviceAssignments(LocalQube owner) => _owner = owner;

    public IReadOnlyList<DeviceAssignment> All
    {
        get
        {
            _owner.App.Changes.NoteRead(_owner, ModelAspect.Devices);
            return _items ?? (IReadOnlyList<DeviceAssignment>)[];
        }
    }

    /// <summary>The assignments of one class.</summary>
    public IEnumerable<DeviceAssignment> OfClass(string deviceClass) => All.Where(a => a.DeviceClass == deviceClass);

    public bool HasAny(string deviceClass)
    {
        _owner.App.Changes.NoteRead(_owner, ModelAspect.Devices);
        return _items is { } items && items.Exists(a => a.DeviceClass == deviceClass);
    }

    public void Add(DeviceAssignment assignment)
    {
        ArgumentNullException.ThrowIfNull(assignment);
        using ChangeScope scope = _owner.App.Changes.Enter();
        Load(assignment);
        scope.Record(() => RemoveItem(assignment), Record(assignment, before: null, assignment.HistoryText));
        scope.Done();
    }

    public void Remove(DeviceAssignment assignment)
    {
        ArgumentNullException.ThrowIfNull(assignment);
        int at = _items?.IndexOf(assignment) ?? -1;
        if (at < 0)
        {
            throw new ArgumentException("not assigned", nameof(assignment));
        }

        using ChangeScope scope = _owner.App.Changes.Enter();
        RemoveItem(assignment);
        scope.Record(
            () =>
            {
                _items!.Insert(Math.Min(at, _items.Count), assignment);
                _owner.TouchStore(ModelAspect.Devices);
            },
            Record(assignment, assignment.HistoryText, after: null));
        scope.Done();
    }

    public void Replace(DeviceAssignment old, DeviceAssignment changed)
    {
        ArgumentNullException.ThrowIfNull(changed);
        int at = _items?.IndexOf(old) ?? -1;
        if (at < 0)
        {
            throw new ArgumentException("not assigned", nameof(old));
        }

        using ChangeScope scope = _owner.App.Changes.Enter();
        Put(changed);
        scope.Record(() => Put(old), Record(old, old.HistoryText, changed.HistoryText));
        scope.Done();

        void Put(DeviceAssignment assignment)
        {
            _items![at] = assignment;
            _owner.TouchStore(ModelAspect.Devices);
        }
    }

    /// <summary>Takes an assignment of the store.</summary>
    public void Load(DeviceAssignment assignment)
    {
        (_items ??= []).Add(assignment);
        _owner.TouchStore(ModelAspect.Devices);
    }

    private void RemoveItem(DeviceAssignment assignment)
    {
        _items!.Remove(assignment);
        _owner.TouchStore(ModelAspect.Devices);
    }

    private ChangeRecord Record(DeviceAssignment assignment, string? before, string? after) =>
        new(_owner.SubjectText, $"device {assignment.DeviceClass} {assignment}", before, after);
}
