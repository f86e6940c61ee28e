using System.Buffers;
using System.Buffers.Binary;
using Qubes.Model.Classes;
using Qubes.Store.Format;

namespace Qubes.Store.Journal;

/// <summary>
/// The payload of a change: the revision after it, then items to the end. A fragment is text as it stands in the store.
/// <code>
/// revision i64
/// item: 0 1  type: 1 head of the store, 2 element of a qube, 3 qube gone (no text), 4 lines of the history
///       1 3  zero
///       4 4  qid i32; 0 for the head and the history
///       8 4  length of the text
///      12 …  text
/// </code>
/// </summary>
internal sealed class JournaledChange
{
    private const int ItemHeaderLength = 12;

    private enum Item : byte
    {
        Head = 1,
        Qube = 2,
        Gone = 3,
        History = 4,
    }

    public long Revision { get; private init; }

    public ReadOnlyMemory<byte>? Head { get; private set; }

    /// <summary>The element of each qube that changed; null for one that is gone.</summary>
    public List<KeyValuePair<int, ReadOnlyMemory<byte>?>> Qubes { get; } = [];

    /// <summary>The lines of the history that tell of it.</summary>
    public ReadOnlyMemory<byte> History { get; private set; }

    public static void Write(StoreDelta delta, long revision, ReadOnlySpan<byte> history, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteInt64LittleEndian(output.GetSpan(sizeof(long)), revision);
        output.Advance(sizeof(long));
        if (delta.Head is { } head)
        {
            Write(Item.Head, 0, head, output);
        }

        // A new qube may have the number of one that went in the same group: what is gone comes first.
        foreach (int qid in delta.Removed)
        {
            Write(Item.Gone, qid, default, output);
        }

        foreach ((Qube qube, byte[] fragment) in delta.Changed)
        {
            Write(Item.Qube, qube.Qid, fragment, output);
        }

        Write(Item.History, 0, history, output);
    }

    /// <summary>Null for anything else than a change as this version writes it.</summary>
    public static JournaledChange? TryRead(JournalRecord record)
    {
        ReadOnlyMemory<byte> rest = record.Payload;
        if (record.Kind != JournalRecordKind.Change || rest.Length < sizeof(long))
        {
            return null;
        }

        JournaledChange change = new() { Revision = BinaryPrimitives.ReadInt64LittleEndian(rest.Span) };
        for (rest = rest[sizeof(long)..]; !rest.IsEmpty;)
        {
            if (rest.Length < ItemHeaderLength)
            {
                return null;
            }

            Item item = (Item)rest.Span[0];
            int qid = BinaryPrimitives.ReadInt32LittleEndian(rest.Span[4..]);
            int length = BinaryPrimitives.ReadInt32LittleEndian(rest.Span[8..]);
            if (length < 0 || length > rest.Length - ItemHeaderLength)
            {
                return null;
            }

            ReadOnlyMemory<byte> text = rest.Slice(ItemHeaderLength, length);
            rest = rest[(ItemHeaderLength + length)..];
            switch (item)
            {
                case Item.Head:
                    change.Head = text;
                    break;
                case Item.Qube:
                    change.Qubes.Add(new(qid, text));
                    break;
                case Item.Gone:
                    change.Qubes.Add(new(qid, null));
                    break;
                case Item.History:
                    change.History = text;
                    break;
                default:
                    return null;
            }
        }

        return change;
    }

    private static void Write(Item item, int qid, ReadOnlySpan<byte> text, IBufferWriter<byte> output)
    {
        Span<byte> header = output.GetSpan(ItemHeaderLength)[..ItemHeaderLength];
        header.Clear();
        header[0] = (byte)item;
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], qid);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], text.Length);
        output.Advance(ItemHeaderLength);
        output.Write(text);
    }
}
