namespace Qubes.Model.Changes;

/// <summary>One thing that changed: what it was and what it is. Null stands for "absent" (a default, a missing feature, a new qube).</summary>
/// <param name="Subject">The qube's name; empty for the application.</param>
/// <param name="Item">What of it: <c>property memory</c>, <c>feature gui</c>, <c>tag x</c>, <c>volume root</c>, <c>qube</c>, …</param>
/// <param name="Before">The text before.</param>
/// <param name="After">The text after.</param>
public sealed record ChangeRecord(string Subject, string Item, string? Before, string? After);
