using System.Buffers.Binary;

namespace Qubes.Store.Journal;

/// <summary>
/// The file of the base record with this sequence has been in place: what stands before that record is of no use any more.
/// <code>sequence u64</code>
/// </summary>
internal readonly record struct SettledMark(ulong BaseSequence)
{
    public const int Length = 8;

    public void Write(Span<byte> payload) => BinaryPrimitives.WriteUInt64LittleEndian(payload, BaseSequence);

    public static bool TryRead(JournalRecord record, out SettledMark mark)
    {
        ReadOnlySpan<byte> payload = record.Payload.Span;
        bool isOne = record.Kind == JournalRecordKind.Settled && payload.Length == Length;
        mark = new SettledMark(isOne ? BinaryPrimitives.ReadUInt64LittleEndian(payload) : 0);
        return isOne;
    }
}
