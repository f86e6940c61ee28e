namespace Qubes.Store.Inspection;

/// <summary>One record of a journal, for people.</summary>
/// <param name="Revision">The last commit it concerns; 0 where that has no meaning.</param>
public sealed record JournalEntry(ulong Sequence, string Kind, long Revision, string What);
