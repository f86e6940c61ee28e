using System.Buffers.Binary;

namespace Qubes.Store.Journal;

/// <summary>
/// Written, and durable, before a new <c>qubes.xml</c> takes its name: the changes that follow in the journal are changes of exactly this file.
/// <code>revision i64, length i64, XxHash128 u128</code>
/// </summary>
internal readonly record struct BaseMark(long Revision, StoreIdentity Store)
{
    public const int Length = 32;

    public void Write(Span<byte> payload)
    {
        BinaryPrimitives.WriteInt64LittleEndian(payload, Revision);
        BinaryPrimitives.WriteInt64LittleEndian(payload[8..], Store.Length);
        BinaryPrimitives.WriteUInt128LittleEndian(payload[16..], Store.Hash);
    }

    public static bool TryRead(JournalRecord record, out BaseMark mark)
    {
        mark = default;
        ReadOnlySpan<byte> payload = record.Payload.Span;
        if (record.Kind != JournalRecordKind.Base || payload.Length != Length)
        {
            return false;
        }

        mark = new BaseMark(
            BinaryPrimitives.ReadInt64LittleEndian(payload),
            new StoreIdentity(BinaryPrimitives.ReadInt64LittleEndian(payload[8..]), BinaryPrimitives.ReadUInt128LittleEndian(payload[16..])));
        return true;
    }
}
