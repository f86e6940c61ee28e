using System.Buffers.Binary;
using System.Numerics;

namespace Qubes.Store.Journal;

/// <summary>
/// The framing of the journal beside the store. The file has a fixed size and two halves of equal length, each a run of records from its start;
/// numbers are little-endian.
/// <code>
/// record: 0  4  "QJR1"
///         4  4  CRC-32C of bytes 8 to the payload's end
///         8  8  sequence: rises by one from record to record, over both halves
///        16  4  length of the payload
///        20  1  kind (JournalRecordKind)
///        21  3  zero
///        24  …  payload, then zeros to a multiple of 8
/// </code>
/// What does not continue the sequence or fails its sum ends a run: zeros of the preallocated file, what an earlier use of the half left,
/// or a record that was being written when the machine stopped.
/// </summary>
internal static class JournalFormat
{
    public const int HeaderLength = 24;

    /// <summary>No journal is larger; a file that is, is none.</summary>
    public const long MaxFileLength = 256L << 20;

    private const int SumStart = 8;

    private static ReadOnlySpan<byte> Magic => "QJR1"u8;

    /// <summary>The room a record with this payload takes.</summary>
    public static int LengthOf(int payloadLength) => (HeaderLength + payloadLength + 7) & ~7;

    /// <summary>Completes a record whose payload stands behind room for the header; <paramref name="record"/> includes the padding.</summary>
    public static void Seal(Span<byte> record, JournalRecordKind kind, ulong sequence, int payloadLength)
    {
        Magic.CopyTo(record);
        BinaryPrimitives.WriteUInt64LittleEndian(record[8..], sequence);
        BinaryPrimitives.WriteInt32LittleEndian(record[16..], payloadLength);
        record[20] = (byte)kind;
        record[21..HeaderLength].Clear();
        record[(HeaderLength + payloadLength)..].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], Sum(record[SumStart..(HeaderLength + payloadLength)]));
    }

    /// <summary>The record at the start of <paramref name="untrusted"/>, if a whole one stands there.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> untrusted, out JournalRecord record)
    {
        record = default;
        ReadOnlySpan<byte> bytes = untrusted.Span;
        if (bytes.Length < HeaderLength || !bytes.StartsWith(Magic))
        {
            return false;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]);
        if (length < 0 || length > bytes.Length - HeaderLength
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) != Sum(bytes[SumStart..(HeaderLength + length)]))
        {
            return false;
        }

        record = new JournalRecord(
            (JournalRecordKind)bytes[20], BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]), untrusted.Slice(HeaderLength, length));
        return true;
    }

    /// <summary>The first place that looks like the start of a record; -1 for none.</summary>
    public static int FindStart(ReadOnlySpan<byte> untrusted) => untrusted.IndexOf(Magic);

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = uint.MaxValue;
        while (bytes.Length >= sizeof(ulong))
        {
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte b in bytes)
        {
            sum = BitOperations.Crc32C(sum, b);
        }

        return ~sum;
    }
}
