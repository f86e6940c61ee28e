namespace Qubes.Bench;

/// <summary>A line of the table.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Target">The number to hold.</param>
/// <param name="Measured">What came out.</param>
/// <param name="IsHeld">Whether the target is held.</param>
internal sealed record ResultRow(string What, string Target, string Measured, bool IsHeld);
