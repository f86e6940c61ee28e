namespace Qubes.Model.Changes;

/// <summary>One mutation of a change.</summary>
/// <param name="Number">Its place among the steps of all changes.</param>
/// <param name="Undo">Takes it back. For what is stored: gives what does it again, null if there was nothing left to take back.</param>
/// <param name="IsStored">The store keeps it within the entry of a qube that was there before, or of the application.</param>
/// <param name="Record">What history says of it.</param>
internal readonly record struct ModelStep(long Number, Func<Action?> Undo, bool IsStored, ChangeRecord Record);
