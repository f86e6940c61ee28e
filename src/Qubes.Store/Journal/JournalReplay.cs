using System.Text;
using Qubes.Store.Format;

namespace Qubes.Store.Journal;

/// <summary>
/// Applies the changes of a journal to the document of the file they follow. Only the last text of each part is read. Elements of qubes that
/// could not be loaded stand behind those that could, so the first element with a number is the one the journal speaks of.
/// </summary>
internal static class JournalReplay
{
    private static ReadOnlySpan<byte> RestOfDocument => "</domains></qubes>"u8;

    /// <exception cref="System.Xml.XmlException">A text is not what was written; the document may be half changed.</exception>
    public static void Apply(StoreDocument document, IReadOnlyList<JournaledChange> changes)
    {
        if (changes.Count == 0)
        {
            return;
        }

        ReadOnlyMemory<byte>? head = null;
        Dictionary<int, ReadOnlyMemory<byte>?> qubes = [];
        foreach (JournaledChange change in changes)
        {
            head = change.Head ?? head;
            foreach ((int qid, ReadOnlyMemory<byte>? fragment) in change.Qubes)
            {
                qubes[qid] = fragment;
            }
        }

        if (head is { } text)
        {
            ReplaceHead(document, text);
        }

        ReplaceQubes(document, qubes);
        document.Revision = changes[^1].Revision;
    }

    private static void ReplaceHead(StoreDocument document, ReadOnlyMemory<byte> head)
    {
        StoreDocument read = StoreReader.Read((byte[])[.. head.Span, .. RestOfDocument]);
        Replace(document.Labels, read.Labels);
        Replace(document.Pools, read.Pools);
        Replace(document.Properties, read.Properties);
    }

    private static void ReplaceQubes(StoreDocument document, Dictionary<int, ReadOnlyMemory<byte>?> qubes)
    {
        List<StoredQube> kept = new(document.Qubes.Count + qubes.Count);
        foreach (StoredQube stored in document.Qubes)
        {
            if (QidOf(stored) is not { } qid || !qubes.Remove(qid, out ReadOnlyMemory<byte>? fragment))
            {
                kept.Add(stored);
            }
            else if (fragment is { } text)
            {
                kept.Add(Read(text));
            }
        }

        kept.AddRange(qubes.Values.OfType<ReadOnlyMemory<byte>>().Select(Read));
        Replace(document.Qubes, kept);
    }

    private static StoredQube Read(ReadOnlyMemory<byte> fragment) =>
        StoreReader.ReadQube(fragment, Encoding.UTF8.GetString(fragment.Span).Trim());

    private static int? QidOf(StoredQube stored) => stored.Class == "AdminVM" ? 0 : stored.Qid;

    private static void Replace<T>(List<T> list, List<T> with)
    {
        list.Clear();
        list.AddRange(with);
    }
}
