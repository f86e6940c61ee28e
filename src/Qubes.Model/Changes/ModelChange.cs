using Qubes.Model.Events;

namespace Qubes.Model.Changes;

/// <summary>
/// The unit that commits as a whole or leaves no trace. While it is current (it flows with the async call that began it),
/// every mutation of the model leaves its undo here and every event for observers waits here. <see cref="Complete"/> lets the
/// events go once the change is durable; <see cref="Rollback"/>, also run by <see cref="Dispose"/> of a change still open,
/// takes everything back. Belongs to the model loop. Keep it short: observers wait for it.
/// </summary>
public sealed class ModelChange : IDisposable
{
    private readonly ChangeTracker _tracker;
    private readonly List<ModelStep> _steps = [];
    private readonly List<QubesEvent> _outbox = [];
    private readonly List<Action> _deferred = [];

    internal ModelChange(ChangeTracker tracker, ModelChange? outer, ChangeOrigin? origin)
    {
        _tracker = tracker;
        Outer = outer;
        Origin = origin;
    }

    /// <summary>Null for a mutation made outside of any explicit change.</summary>
    public ChangeOrigin? Origin { get; }

    public ChangeState State { get; private set; }

    /// <summary>The number of this commit, rising by one each; 0 until <see cref="ChangeTracker.AssignRevision"/>.</summary>
    public long Revision { get; internal set; }

    /// <summary>What it changed so far, in order.</summary>
    public IEnumerable<ChangeRecord> Records => _steps.Select(step => step.Record);

    /// <summary>It is not with the store yet, and may still be taken back.</summary>
    internal bool IsPending => State == ChangeState.Open && Revision == 0;

    public bool HasMutations => _steps.Count > 0;

    /// <summary>The change holds; observers now learn of it.</summary>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(State != ChangeState.Open, this);
        State = ChangeState.Completed;
        _tracker.NoteEnded(this);
        Leave();
        _deferred.ForEach(action => action());
        foreach (QubesEvent qubesEvent in _outbox)
        {
            _tracker.Deliver(qubesEvent);
        }

        if (HasMutations || Revision > 0)
        {
            _tracker.Settle(this);
        }
    }

    /// <summary>Takes back every mutation, newest first. Observers see only the pre-events, as of any vetoed change.</summary>
    public void Rollback()
    {
        if (State != ChangeState.Open)
        {
            return;
        }

        bool isKnown = HasMutations || Revision > 0;
        RollbackTo(default);
        State = ChangeState.RolledBack;
        _tracker.NoteEnded(this);
        Leave();
        foreach (QubesEvent qubesEvent in _outbox)
        {
            _tracker.Deliver(qubesEvent);
        }

        if (isKnown)
        {
            _tracker.Settle(this);
        }
    }

    public void Dispose()
    {
        Rollback();
        Leave();
    }

    internal ModelChange? Outer { get; }

    /// <summary>Runs once the change holds, before observers learn of it; not at all if it is taken back.</summary>
    internal void Defer(Action action) => _deferred.Add(action);

    internal ChangeMark Mark() => new(_steps.Count, _outbox.Count, _deferred.Count);

    /// <summary>What it has done to what the store keeps of qubes and the application.</summary>
    internal IEnumerable<ModelStep> StoredSteps => _steps.Where(step => step.IsStored);

    internal void Push(Undo undo, bool isStored, ChangeRecord record)
    {
        if (_steps.Count == 0)
        {
            _tracker.NoteBegun(this);
        }

        _steps.Add(new ModelStep(_tracker.NextStep(), undo, isStored, record));
    }

    internal void Queue(QubesEvent qubesEvent) => _outbox.Add(qubesEvent);

    internal void RollbackTo(ChangeMark mark)
    {
        _tracker.TakeBack(this, _steps[mark.Steps..]);
        _steps.RemoveRange(mark.Steps, _steps.Count - mark.Steps);
        _deferred.RemoveRange(mark.Deferred, _deferred.Count - mark.Deferred);
        for (int i = _outbox.Count - 1; i >= mark.Events; i--)
        {
            if (!_outbox[i].IsPre)
            {
                _outbox.RemoveAt(i);
            }
        }
    }

    private void Leave()
    {
        if (_tracker.Ambient == this)
        {
            _tracker.Ambient = Outer;
        }
    }
}
