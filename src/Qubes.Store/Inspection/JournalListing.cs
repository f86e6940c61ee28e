using System.Globalization;
using Qubes.Store.Journal;
using Qubes.Store.Loading;

namespace Qubes.Store.Inspection;

/// <summary>Reads a journal for people.</summary>
public static class JournalListing
{
    /// <summary>The records in the file, oldest first; null when there is no file.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IReadOnlyList<JournalEntry>? Read(string path) =>
        StoreRecovery.ReadJournal(path) is { } scan ? [.. scan.Records.Select(Describe)] : null;

    private static JournalEntry Describe(JournalRecord record)
    {
        if (BaseMark.TryRead(record, out BaseMark mark))
        {
            return new JournalEntry(record.Sequence, "base", mark.Revision,
                string.Create(CultureInfo.InvariantCulture, $"file of {mark.Store.Length} bytes, hash {mark.Store.Hash:x32}"));
        }

        if (SettledMark.TryRead(record, out SettledMark settled))
        {
            return new JournalEntry(record.Sequence, "settled", 0, string.Create(CultureInfo.InvariantCulture, $"file of record {settled.BaseSequence} is in place"));
        }

        if (JournaledChange.TryRead(record) is not { } change)
        {
            return new JournalEntry(record.Sequence, "unknown", 0, string.Create(CultureInfo.InvariantCulture, $"{record.Payload.Length} bytes"));
        }

        IEnumerable<string> head = change.Head is null ? [] : ["head"];
        IEnumerable<string> qubes = change.Qubes.Select(q => string.Create(CultureInfo.InvariantCulture, $"{(q.Value is null ? "-" : "")}{q.Key}"));
        return new JournalEntry(record.Sequence, "change", change.Revision, "qubes " + string.Join(' ', head.Concat(qubes)));
    }
}
