using Qubes.Model.Changes;

namespace Qubes.Model.Tests.Changes;

/// <summary>A change as another call would make it, in pieces: what runs elsewhere is not within it.</summary>
internal sealed class OverlappingChange
{
    private readonly ExecutionContext _call;

    public OverlappingChange(QubesApp app)
    {
        ModelChange? change = null;
        ExecutionContext? call = null;
        ExecutionContext.Run(
            ExecutionContext.Capture()!,
            _ =>
            {
                change = app.Changes.Begin(new ChangeOrigin("dom0", "test", DateTimeOffset.UnixEpoch));
                call = ExecutionContext.Capture();
            },
            state: null);
        (Change, _call) = (change!, call!);
    }

    public ModelChange Change { get; }

    public void Do(Action mutate) => ExecutionContext.Run(_call, _ => mutate(), state: null);
}
