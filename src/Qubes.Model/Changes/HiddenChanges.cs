namespace Qubes.Model.Changes;

/// <summary>
/// Until it is disposed, the model is without what changes have done that are still open. Between making and disposing one nothing else runs on
/// the model loop.
/// </summary>
public readonly ref struct HiddenChanges
{
    private readonly List<Action>? _again;

    internal HiddenChanges(IReadOnlyCollection<ModelChange> changes)
    {
        if (changes.Count == 0)
        {
            return;
        }

        // What two of them did to the same part comes off in the order in which it was put on.
        _again = [];
        foreach (ModelStep step in changes.SelectMany(change => change.StoredSteps).OrderByDescending(step => step.Number))
        {
            if (step.Undo() is { } again)
            {
                _again.Add(again);
            }
        }
    }

    public void Dispose()
    {
        for (int i = (_again?.Count ?? 0) - 1; i >= 0; i--)
        {
            _again![i]();
        }
    }
}
