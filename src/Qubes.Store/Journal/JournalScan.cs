namespace Qubes.Store.Journal;

/// <summary>What a journal's file holds: the longest run of whole records that ends with the newest one, and where to go on.</summary>
internal sealed class JournalScan
{
    // Records begin at multiples of this.
    private const int Alignment = 8;

    private JournalScan(int halfLength) => HalfLength = halfLength;

    /// <summary>Bytes of each half.</summary>
    public int HalfLength { get; }

    /// <summary>In sequence, the oldest first.</summary>
    public IReadOnlyList<JournalRecord> Records { get; private set; } = [];

    /// <summary>The half that was written last, 0 or 1.</summary>
    public int ActiveHalf { get; private set; }

    /// <summary>The end of the last whole record within that half.</summary>
    public int ActiveLength { get; private set; }

    /// <summary>The number of records that stand in the other half: the first ones of <see cref="Records"/>.</summary>
    public int RecordsInOtherHalf { get; private set; }

    /// <summary>The sequence of the next record.</summary>
    public ulong NextSequence { get; private set; } = 1;

    /// <summary>Records lie beyond a place that cannot be read: not the end of an interrupted write, but damage.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Reads a journal; anything at all may be in the file.</summary>
    public static JournalScan Read(ReadOnlyMemory<byte> untrusted)
    {
        int halfLength = untrusted.Length / 2 / Alignment * Alignment;
        JournalScan scan = new(halfLength);
        List<JournalRecord> first = ReadRun(untrusted[..halfLength], out int firstLength);
        List<JournalRecord> second = ReadRun(untrusted.Slice(halfLength, halfLength), out int secondLength);
        bool isSecondNewer = second.Count > 0 && (first.Count == 0 || second[0].Sequence > first[0].Sequence);
        (List<JournalRecord> older, List<JournalRecord> newer) = isSecondNewer ? (first, second) : (second, first);
        scan.ActiveHalf = isSecondNewer ? 1 : 0;
        scan.ActiveLength = isSecondNewer ? secondLength : firstLength;
        if (newer.Count == 0)
        {
            return scan;
        }

        scan.NextSequence = newer[^1].Sequence + 1;
        scan.IsDamaged = HasLater(untrusted.Slice(scan.ActiveHalf * halfLength, halfLength)[scan.ActiveLength..], scan.NextSequence);
        if (older.Count == 0 || older[^1].Sequence + 1 != newer[0].Sequence)
        {
            // Something of the older half cannot be read, or it is from before the half was given up.
            scan.Records = newer;
            return scan;
        }

        scan.Records = [.. older, .. newer];
        scan.RecordsInOtherHalf = older.Count;
        return scan;
    }

    private static List<JournalRecord> ReadRun(ReadOnlyMemory<byte> half, out int length)
    {
        List<JournalRecord> run = [];
        length = 0;
        while (JournalFormat.TryRead(half[length..], out JournalRecord record) && record.Length <= half.Length - length
            && (run.Count == 0 || record.Sequence == run[^1].Sequence + 1))
        {
            run.Add(record);
            length += record.Length;
        }

        return run;
    }

    private static bool HasLater(ReadOnlyMemory<byte> rest, ulong expected)
    {
        for (int found; (found = JournalFormat.FindStart(rest.Span)) >= 0; rest = rest[(found + 1)..])
        {
            if (JournalFormat.TryRead(rest[found..], out JournalRecord record) && record.Sequence >= expected)
            {
                return true;
            }
        }

        return false;
    }
}
