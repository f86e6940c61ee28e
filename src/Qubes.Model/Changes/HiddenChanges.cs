namespace Qubes.Model.Changes;

/// <summary>
/// Until it is disposed, the model is without what some open changes have done. Between making and disposing one nothing else runs on the model
/// loop.
/// </summary>
public readonly ref struct HiddenChanges
{
    private readonly List<(ModelStep Step, Redo Redo)>? _taken;

    /// <param name="hidden">Come back.</param>
    /// <param name="dropped">Do not.</param>
    internal HiddenChanges(IEnumerable<ModelStep> hidden, IEnumerable<ModelStep> dropped)
    {
        // What several changes did to the same part comes off in the order in which it was put on.
        IEnumerable<(ModelStep Step, bool ComesBack)> steps = [.. hidden.Select(step => (step, true)), .. dropped.Select(step => (step, false))];
        foreach ((ModelStep step, bool comesBack) in steps.OrderByDescending(taken => taken.Step.Number))
        {
            if (step.TakeBack() is { } redo && comesBack)
            {
                (_taken ??= []).Add((step, redo));
            }
        }
    }

    public void Dispose()
    {
        for (int i = (_taken?.Count ?? 0) - 1; i >= 0; i--)
        {
            (ModelStep step, Redo redo) = _taken![i];
            step.DoAgain(redo);
        }
    }
}
