using System.Buffers;
using System.Text;
using System.Xml;
using Qubes.Store.Format;
using Qubes.Store.Journal;

namespace Qubes.Fuzz.Targets;

/// <summary>
/// The store's journal: whatever is in the file, what is read of it is a sequence of whole records, and applying them changes the document or
/// is refused as damage.
/// </summary>
internal sealed class StoreJournalTarget : IFuzzTarget
{
    private static readonly byte[] Store = Encoding.UTF8.GetBytes(
        """
        <qubes><labels/><pools/><properties/><domains>
        <domain id="domain-0" class="AdminVM"><properties/></domain>
        <domain id="domain-2" class="AppVM"><properties><property name="name">work</property><property name="qid">2</property></properties></domain>
        </domains></qubes>
        """);

    public string Name => "store-journal";

    public IEnumerable<byte[]> Seeds
    {
        get
        {
            byte[] journal = new byte[2048];
            byte[] mark = new byte[BaseMark.Length];
            new BaseMark(1, StoreIdentity.Of(Store)).Write(mark);
            int at = Append(journal, 0, JournalRecordKind.Base, 7, mark);
            at = Append(journal, at, JournalRecordKind.Change, 8, Change(2, "<domain class=\"AppVM\"><properties><property name=\"qid\">2</property></properties></domain>"));
            at = Append(journal, at, JournalRecordKind.Change, 9, Change(3, "<domain class=\"AppVM\"/>"));
            Append(journal, at, JournalRecordKind.Settled, 10, [7, 0, 0, 0, 0, 0, 0, 0]);
            yield return journal;
            Append(journal, journal.Length / 2, JournalRecordKind.Base, 11, mark);
            yield return journal;
        }
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        JournalScan scan = JournalScan.Read(input.ToArray());
        for (int i = 1; i < scan.Records.Count; i++)
        {
            if (scan.Records[i].Sequence != scan.Records[i - 1].Sequence + 1)
            {
                throw new InvalidOperationException("records out of sequence");
            }
        }

        if (scan.ActiveLength > scan.HalfLength || scan.RecordsInOtherHalf > scan.Records.Count)
        {
            throw new InvalidOperationException("more than the half holds");
        }

        JournalMatch match = JournalMatch.Find(scan, StoreIdentity.Of(Store));
        try
        {
            JournalReplay.Apply(StoreReader.Read(Store), match.Changes);
        }
        catch (XmlException)
        {
            // Reported as damage by whoever applies it.
        }
    }

    private static byte[] Change(long revision, string fragment)
    {
        ArrayBufferWriter<byte> output = new();
        JournaledChange.Write(new StoreDelta { Removed = { 5 }, Head = "<qubes><labels/><domains>"u8.ToArray() }, revision, "{}\n"u8, output);
        byte[] text = Encoding.UTF8.GetBytes(fragment);
        output.Write((ReadOnlySpan<byte>)[2, 0, 0, 0, 2, 0, 0, 0, (byte)text.Length, 0, 0, 0]);
        output.Write(text);
        return output.WrittenSpan.ToArray();
    }

    private static int Append(byte[] journal, int at, JournalRecordKind kind, ulong sequence, byte[] payload)
    {
        Span<byte> record = journal.AsSpan(at, JournalFormat.LengthOf(payload.Length));
        payload.CopyTo(record[JournalFormat.HeaderLength..]);
        JournalFormat.Seal(record, kind, sequence, payload.Length);
        return at + record.Length;
    }
}
