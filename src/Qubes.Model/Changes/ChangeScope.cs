namespace Qubes.Model.Changes;

/// <summary>
/// One mutation: pre-events, the change of state, post-events. Not marked <see cref="Done"/> when it ends, it takes back what was
/// recorded since it began, including what handlers did, so that no failing handler leaves half a change.
/// Outside of an explicit change the mutation is a change of its own and holds at once.
/// </summary>
internal ref struct ChangeScope(ModelChange change, ChangeMark mark, bool owns)
{
    private bool _done;

    /// <summary>Records the undo of what was just done to the state.</summary>
    public readonly void Record(Action undo, ChangeRecord record) => change.Push(
        () =>
        {
            undo();
            return null;
        },
        isStored: false,
        record);

    /// <summary>
    /// Records the undo of what was just done to a part that the store keeps within a qube or the application. It leaves alone what others have
    /// made of the part since.
    /// </summary>
    public readonly void RecordStored(Undo undo, ChangeRecord record) => change.Push(undo, isStored: true, record);

    public void Done() => _done = true;

    public readonly void Dispose()
    {
        if (!_done)
        {
            change.RollbackTo(mark);
        }

        if (owns)
        {
            // After a failure the outbox holds the pre-events only.
            change.Complete();
        }
    }
}
