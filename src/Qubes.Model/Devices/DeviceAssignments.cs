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
        scope.RecordStored(() => TakeOut(assignment), Record(assignment, before: null, assignment.HistoryText));
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
        scope.RecordStored(
            () => PutBack(at, assignment),
            Record(assignment, assignment.HistoryText, after: null));
        scope.Done();
    }

    public void Replace(DeviceAssignment old, DeviceAssignment changed)
    {
        ArgumentNullException.ThrowIfNull(changed);
        using ChangeScope scope = _owner.App.Changes.Enter();
        if (Exchange(old, changed) is null)
        {
            throw new ArgumentException("not assigned", nameof(old));
        }

        scope.RecordStored(() => Exchange(changed, old), Record(old, old.HistoryText, changed.HistoryText));
        scope.Done();
    }

    /// <summary>Takes an assignment of the store.</summary>
    public void Load(DeviceAssignment assignment)
    {
        (_items ??= []).Add(assignment);
        _owner.TouchStore(ModelAspect.Devices);
    }

    /// <summary>Puts an assignment in the place of another, if that is still there.</summary>
    /// <returns>What takes this back; null where nothing was done.</returns>
    private Redo? Exchange(DeviceAssignment current, DeviceAssignment wanted)
    {
        int at = _items?.IndexOf(current) ?? -1;
        if (at < 0)
        {
            return null;
        }

        _items![at] = wanted;
        _owner.TouchStore(ModelAspect.Devices);
        return () =>
        {
            // What is there of the device may be another by now.
            if (_items.Find(a => a.Device == current.Device) is not { } before)
            {
                return null;
            }

            _ = Exchange(before, current);
            return () => Exchange(current, before);
        };
    }

    // Each gives what takes it back; null where nothing was to do any more.
    private Redo? TakeOut(DeviceAssignment assignment)
    {
        int at = _items!.IndexOf(assignment);
        if (at < 0)
        {
            return null;
        }

        int place = at < _items.Count - 1 ? at : int.MaxValue;
        RemoveItem(assignment);
        return () => PutBack(place, assignment) is null ? null : () => TakeOut(assignment);
    }

    private Redo? PutBack(int at, DeviceAssignment assignment)
    {
        if (_items!.Contains(assignment))
        {
            return null;
        }

        _items.Insert(Math.Min(at, _items.Count), assignment);
        _owner.TouchStore(ModelAspect.Devices);
        return () =>
        {
            int here = _items.IndexOf(assignment);
            return TakeOut(assignment) is null ? null : () => PutBack(here, assignment);
        };
    }

    private void RemoveItem(DeviceAssignment assignment)
    {
        _items!.Remove(assignment);
        _owner.TouchStore(ModelAspect.Devices);
    }

    private ChangeRecord Record(DeviceAssignment assignment, string? before, string? after) =>
        new(_owner.SubjectText, $"device {assignment.DeviceClass} {assignment}", before, after);
}
