namespace Qubes.Store.Inspection;

/// <summary>One state of the store that is on disk.</summary>
/// <param name="Number">0 for the store itself, else how many generations ago.</param>
/// <param name="Damage">Why it cannot be read; null when it can.</param>
public sealed record StoreGeneration(int Number, string Path, DateTime Written, long Size, long Revision, int Qubes, string? Damage);
