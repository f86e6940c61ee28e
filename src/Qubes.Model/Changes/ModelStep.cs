namespace Qubes.Model.Changes;

/// <summary>
/// Takes back one mutation. What others have made of the part since is left alone; then, and of what is not stored, it gives null, otherwise
/// what does the mutation again.
/// </summary>
internal delegate Redo? Undo();

/// <summary>Does a mutation again, on what is there now. Gives what takes it back; null where it is void by now.</summary>
internal delegate Undo? Redo();

/// <summary>One mutation of a change.</summary>
/// <param name="number">Its place among the steps of all changes.</param>
/// <param name="undo">Takes it back.</param>
/// <param name="isStored">The store keeps it within the entry of a qube that was there before, or of the application.</param>
/// <param name="record">What history says of it.</param>
internal sealed class ModelStep(long number, Undo undo, bool isStored, ChangeRecord record)
{
    private Undo? _undo = undo;

    public long Number => number;

    public bool IsStored => isStored;

    public ChangeRecord Record => record;

    public Redo? TakeBack() => _undo?.Invoke();

    public void DoAgain(Redo redo) => _undo = redo();
}
