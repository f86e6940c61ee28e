using Qubes.Model.Events;

namespace Qubes.Model.Changes;

/// <summary>Knows the change being made and counts versions and revisions.</summary>
public sealed class ChangeTracker
{
    private readonly AsyncLocal<ModelChange?> _ambient = new();
    private readonly QubesApp _app;

    internal ChangeTracker(QubesApp app) => _app = app;

    /// <summary>Rises with every mutation and every undo: whoever caches something derived from the model compares it.</summary>
    public long Version { get; private set; }

    /// <summary>The number of the last commit; the store sets it at start to what the history says.</summary>
    public long Revision { get; private set; }

    /// <summary>The open change this call runs in, if any.</summary>
    public ModelChange? Current => _ambient.Value is { State: ChangeState.Open } change ? change : null;

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

    /// <summary>Gives a change the next revision number, in the order in which changes are handed to the store.</summary>
    public void AssignRevision(ModelChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        change.Revision = ++Revision;
    }

    /// <summary>Continues the numbering of an earlier run.</summary>
    public void RestoreRevision(long revision) => Revision = Math.Max(Revision, revision);

    internal void Touch() => Version++;

    internal void Deliver(QubesEvent qubesEvent) => _app.Events.Deliver(qubesEvent);

    /// <summary>Enters one mutation with its events: all of it holds, or on an exception all of it is taken back.</summary>
    internal ChangeScope Enter() => Current is { } change ? new(change, change.Mark(), owns: false) : new(Open(origin: null), default, owns: true);

    private ModelChange Open(ChangeOrigin? origin) => _ambient.Value = new ModelChange(this, Current, origin);
}
