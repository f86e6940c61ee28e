namespace Qubes.Store.Journal;

/// <summary>How a journal and a file of the store belong together.</summary>
/// <param name="Changes">What is to be applied to the file, in order.</param>
/// <param name="Outstanding">
/// Changes in the journal that no file put in place is known to contain. Without a match these would be lost.
/// </param>
/// <param name="BaseIndex">The place of the matching base among the records; -1 without a match.</param>
/// <param name="IsUnreadable">A record after the base is of a form this version does not know.</param>
internal sealed record JournalMatch(
    IReadOnlyList<JournaledChange> Changes, IReadOnlyList<JournaledChange> Outstanding, int BaseIndex, bool IsUnreadable)
{
    public bool IsFound => BaseIndex >= 0;

    /// <summary>The highest revision anywhere in the journal.</summary>
    public long LastRevision { get; private init; }

    /// <summary>The newest base that names exactly this content decides; the changes behind it are the ones to apply.</summary>
    public static JournalMatch Find(JournalScan scan, StoreIdentity store)
    {
        IReadOnlyList<JournalRecord> records = scan.Records;
        int found = -1;
        ulong settled = 0;
        long last = 0;
        for (int i = 0; i < records.Count; i++)
        {
            if (BaseMark.TryRead(records[i], out BaseMark mark))
            {
                last = Math.Max(last, mark.Revision);
                found = mark.Store == store ? i : found;
            }
            else if (SettledMark.TryRead(records[i], out SettledMark done))
            {
                settled = Math.Max(settled, done.BaseSequence);
            }
        }

        List<JournaledChange> changes = [];
        List<JournaledChange> outstanding = [];
        bool isUnreadable = false;
        for (int i = 0; i < records.Count; i++)
        {
            if (records[i].Kind is JournalRecordKind.Base or JournalRecordKind.Settled)
            {
                continue;
            }

            JournaledChange? change = JournaledChange.TryRead(records[i]);
            last = Math.Max(last, change?.Revision ?? 0);
            if (found >= 0 && i > found && !isUnreadable)
            {
                isUnreadable = change is null;
                if (change is not null)
                {
                    changes.Add(change);
                }
            }

            if (records[i].Sequence > settled && change is not null)
            {
                outstanding.Add(change);
            }
        }

        return new JournalMatch(changes, outstanding, found, isUnreadable) { LastRevision = last };
    }
}
