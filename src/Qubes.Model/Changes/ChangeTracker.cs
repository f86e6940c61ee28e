using Qubes.Model.Events;
using Qubes.Model.Properties;

namespace Qubes.Model.Changes;

/// <summary>Knows the change being made and counts versions and revisions.</summary>
public sealed class ChangeTracker
{
    private readonly AsyncLocal<ModelChange?> _ambient = new();
    private readonly QubesApp _app;

    // Those that have done something and may still be taken back.
    private readonly List<ModelChange> _open = [];
    private long _steps;
    private HashSet<ModelPart>? _touched;
    private HashSet<ModelPart>? _reads;
    private PropertyHolder? _reader;

    internal ChangeTracker(QubesApp app) => _app = app;

    /// <summary>Rises with every mutation and every undo: whoever caches something derived from the model compares it.</summary>
    public long Version { get; private set; }

    /// <summary>The number of the last commit; the store sets it at start to what the history says.</summary>
    public long Revision { get; private set; }

    /// <summary>The open change this call runs in, if any.</summary>
    public ModelChange? Current => _ambient.Value is { State: ChangeState.Open } change ? change : null;

    /// <summary>This call runs in that change.</summary>
    internal bool IsWithin(ModelChange change)
    {
        ModelChange? around = _ambient.Value;
        while (around is not null && around != change)
        {
            around = around.Outer;
        }

        return around is not null;
    }

    internal ModelChange? Ambient
    {
        get => _ambient.Value;
        set => _ambient.Value = value;
    }

    /// <summary>
    /// Begins a change that stays current in this async call until it is completed, rolled back or disposed:
    /// <c>using ModelChange change = app.Changes.Begin(origin); …mutations…; await store.CommitAsync(change);</c>
    /// </summary>
    public ModelChange Begin(ChangeOrigin origin) => Open(origin);

    /// <summary>
    /// Does what follows from the current change once that holds, just before observers learn of it; at once where none is open. Not at all if
    /// the change is taken back.
    /// </summary>
    public void WhenHolds(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        if (Current is { } change)
        {
            change.Defer(action);
        }
        else
        {
            action();
        }
    }

    /// <summary>Gives a change the next revision number, in the order in which changes are handed to the store.</summary>
    public void AssignRevision(ModelChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        change.Revision = ++Revision;
    }

    /// <summary>Continues the numbering of an earlier run.</summary>
    public void RestoreRevision(long revision) => Revision = Math.Max(Revision, revision);

    /// <summary>
    /// Takes out of the model, until the result is disposed, what changes have done that were not given to the store yet: handlers make them wait,
    /// and may still refuse them, so the save of another change must not carry them along. New qubes stay, and are told by
    /// <see cref="Classes.Qube.IsBeingMade"/>.
    /// </summary>
    public HiddenChanges HidePending() => new(_open.Where(change => change.IsPending).SelectMany(change => change.StoredSteps), []);

    /// <summary>Who follows the state; null for nobody.</summary>
    public IModelObserver? Observer
    {
        get;
        set
        {
            field = value;
            _touched = value is null ? null : [];
        }
    }

    /// <summary>The parts that were touched since the last call: also by changes not yet settled. Empty without an observer.</summary>
    public IReadOnlySet<ModelPart> TakeTouched()
    {
        HashSet<ModelPart> taken = _touched ?? [];
        _touched = _touched is null ? null : [];
        return taken;
    }

    /// <summary>
    /// From now on adds to <paramref name="into"/> every part that is read, but for those of <paramref name="reader"/> itself;
    /// null ends it. Whoever keeps a value derived from the model learns so when it can have become another.
    /// </summary>
    public void RecordReads(PropertyHolder? reader, HashSet<ModelPart>? into) => (_reader, _reads) = (reader, into);

    internal void NoteRead(PropertyHolder holder, ModelAspect aspect, string item = "")
    {
        if (_reads is not null && holder != _reader)
        {
            _reads.Add(new ModelPart(holder, aspect, item));
        }
    }

    /// <summary>A part of what the store keeps was changed, or changed back.</summary>
    internal void Touch(PropertyHolder holder, ModelAspect aspect, string item)
    {
        Version++;
        if (_touched is null)
        {
            return;
        }

        _touched.Add(new ModelPart(holder, aspect, item));
        if (aspect == ModelAspect.Feature)
        {
            _touched.Add(new ModelPart(holder, aspect));
        }
    }

    /// <summary>A part that the store does not keep became another, or may have.</summary>
    internal void TouchUnsaved(PropertyHolder holder, ModelAspect aspect)
    {
        if (_touched is not null)
        {
            _touched.Add(new ModelPart(holder, aspect));
            Observer!.OnUnsavedChanged();
        }
    }

    internal void NoteBegun(ModelChange change)
    {
        if (!_open.Contains(change))
        {
            _open.Add(change);
        }
    }

    internal void NoteEnded(ModelChange change) => _open.Remove(change);

    internal long NextStep() => ++_steps;

    internal void Settle(ModelChange change) => Observer?.OnSettled(change);

    /// <summary>
    /// Takes back steps of a change, given in their order. What others have done to the same parts since stays; if it is taken back as well, these
    /// are what they were before either.
    /// </summary>
    internal void TakeBack(ModelChange change, IReadOnlyList<ModelStep> steps)
    {
        if (steps.Count == 0)
        {
            return;
        }

        using (new HiddenChanges(
            _open.Where(other => other != change).SelectMany(other => other.StoredSteps).Where(step => step.Number > steps[0].Number), steps))
        {
            Version++;
        }
    }

    internal void Deliver(QubesEvent qubesEvent) => _app.Events.Deliver(qubesEvent);

    /// <summary>Enters one mutation with its events: all of it holds, or on an exception all of it is taken back.</summary>
    internal ChangeScope Enter() => Current is { } change ? new(change, change.Mark(), owns: false) : new(Open(origin: null), default, owns: true);

    private ModelChange Open(ChangeOrigin? origin) => _ambient.Value = new ModelChange(this, Current, origin);
}
