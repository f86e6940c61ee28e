namespace Qubes.Model.Changes;

/// <summary>A point within a change to which a failing step is taken back.</summary>
internal readonly record struct ChangeMark(int Steps, int Events, int Deferred);
