using Qubes.Lifecycle.Disposables;
using Qubes.Model.Classes;

namespace Qubes.Lifecycle.Tests.Disposables;

/// <summary>Guests that answer when and as told.</summary>
internal sealed class ScriptedGuests : IGuestServices
{
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public List<string> Calls { get; } = [];

    /// <summary>What the next calls wait for, or fail with.</summary>
    public Task Answer { get; set; } = Task.CompletedTask;

    /// <summary>Completes at the first call.</summary>
    public Task Asked => _asked.Task.WaitAsync(LifecycleFixture.Patience);

    public Task RunAsync(QubesVM qube, string service, CancellationToken cancellationToken)
    {
        Calls.Add(service);
        _asked.TrySetResult();
        return Answer.WaitAsync(cancellationToken);
    }
}
