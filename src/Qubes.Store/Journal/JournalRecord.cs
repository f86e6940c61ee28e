namespace Qubes.Store.Journal;

/// <summary>A whole record as it was found; the payload is what was written, for its sum is right.</summary>
internal readonly record struct JournalRecord(JournalRecordKind Kind, ulong Sequence, ReadOnlyMemory<byte> Payload)
{
    /// <summary>The bytes it takes in the file.</summary>
    public int Length => JournalFormat.LengthOf(Payload.Length);
}
