namespace Qubes.Store.Inspection;

/// <summary>What a start of the daemon would make of a store.</summary>
/// <param name="Qubes">Qubes that load.</param>
/// <param name="Revision">The last commit known to file and journal.</param>
/// <param name="Outstanding">Groups of changes the journal has beyond the file.</param>
/// <param name="Problems">Empty for a store in good order.</param>
public sealed record StoreReport(int Qubes, long Revision, int Outstanding, IReadOnlyList<StoreProblem> Problems);
