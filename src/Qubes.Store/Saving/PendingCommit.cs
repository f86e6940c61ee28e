using Qubes.Model.Changes;

namespace Qubes.Store.Saving;

/// <summary>A change that waits for its save.</summary>
internal sealed record PendingCommit(ModelChange Change)
{
    // Continuations are the callers' business, not the save loop's.
    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
