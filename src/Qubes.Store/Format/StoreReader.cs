using System.Globalization;
using System.Xml;
using Qubes.Model.Foreign;

namespace Qubes.Store.Format;

/// <summary>
/// Reads the text of a store into a <see cref="StoreDocument"/>. Sections may come in any order; the root's name does not matter. What it
/// does not know is kept, wherever it stands.
/// <code>
/// &lt;qubes&gt;
///   &lt;labels&gt;     &lt;label id="label-N" color="0xRRGGBB"&gt;NAME&lt;/label&gt;*
///   &lt;pools&gt;      &lt;pool ATTRIBUTES/&gt;*
///   &lt;properties&gt; &lt;property name="NAME" [ref="VALUE"]&gt;VALUE&lt;/property&gt;*
///   &lt;domains&gt;    &lt;domain id="domain-QID" class="CLASS"&gt;*    see StoredQubeReader
///   &lt;!-- revision N --&gt;
/// </code>
/// </summary>
internal static class StoreReader
{
    // Far beyond any real store, small enough not to exhaust memory.
    private const long MaxCharacters = 256L << 20;
    private const string RevisionComment = "revision ";
    private const int QubeLevel = 2;

    // Old files have a version there, which says nothing.
    private static readonly string[] RootAttributes = ["version"];
    private static readonly string[] LabelAttributes = ["id", "color"];
    private static readonly string[] PropertyAttributes = ["name", "ref"];

    /// <summary>The one attribute of most elements.</summary>
    internal static string[] NameAttribute { get; } = ["name"];

    /// <exception cref="XmlException">Not well-formed, or beyond the limits.</exception>
    public static StoreDocument Read(ReadOnlyMemory<byte> content)
    {
        StoreDocument document = new();
        using XmlReader reader = Open(content);
        ElementReader root = new(reader, level: 0, ElementReader.MoveToRoot(reader, level: 0), RootAttributes);
        while (root.MoveToChild())
        {
            switch (root.ChildName)
            {
                case "labels":
                    ReadLabels(reader, root.TakeComments(), document);
                    break;
                case "pools":
                    ReadPools(reader, root.TakeComments(), document);
                    break;
                case "properties":
                    ReadProperties(reader, level: 1, root.TakeComments(), document.Properties, document.Foreign);
                    break;
                case "domains":
                    document.HasQubes = true;
                    ReadQubes(reader, root.TakeComments(), document);
                    break;
                default:
                    root.KeepChild();
                    break;
            }
        }

        document.Foreign.Add("qubes", "", root.Foreign);
        document.Revision = root.Revision ?? 0;
        document.End = ElementReader.ReadToEnd(reader);
        return document;
    }

    /// <summary>The text of the <c>domain</c> elements at these positions, for entries that are kept without being understood.</summary>
    public static Dictionary<int, string> ReadQubesVerbatim(ReadOnlyMemory<byte> content, IReadOnlySet<int> positions)
    {
        Dictionary<int, string> found = [];
        if (positions.Count == 0)
        {
            return found;
        }

        using XmlReader reader = Open(content);
        int position = 0;
        ElementReader root = new(reader, level: 0, ElementReader.MoveToRoot(reader, level: 0), RootAttributes);
        while (root.MoveToChild())
        {
            if (root.ChildName == "domains")
            {
                ReadQubesVerbatim(reader, positions, ref position, found);
            }
            else
            {
                reader.Skip();
            }
        }

        return found;
    }

    /// <summary>Reads one <c>domain</c> element that stands alone, perhaps with comments in front.</summary>
    public static StoredQube ReadQube(ReadOnlyMemory<byte> fragment, string? source = null)
    {
        using XmlReader reader = Open(fragment);
        string before = ElementReader.MoveToRoot(reader, QubeLevel);
        return StoredQubeReader.Read(reader, before, position: -1, source);
    }

    internal static void ReadProperties(
        XmlReader reader, int level, string before, List<KeyValuePair<string, string>> into, ForeignParts foreign)
    {
        ElementReader properties = new(reader, level, before, []);
        while (properties.MoveToChild())
        {
            if (properties.ChildName != "property")
            {
                properties.KeepChild();
                continue;
            }

            string name = reader.GetAttribute("name") ?? "";
            string? reference = reader.GetAttribute("ref");
            ElementReader property = new(reader, level + 1, properties.TakeComments(), PropertyAttributes);
            string text = property.ReadText();
            into.Add(new(name, string.IsNullOrEmpty(reference) ? text : reference));
            foreign.Add("property", name, property.Foreign);
        }

        foreign.Add("properties", "", properties.Foreign);
    }

    /// <summary>All that have no prefix.</summary>
    internal static List<KeyValuePair<string, string>> Attributes(XmlReader reader)
    {
        List<KeyValuePair<string, string>> attributes = new(reader.AttributeCount);
        for (int i = 0; i < reader.AttributeCount; i++)
        {
            reader.MoveToAttribute(i);
            if (reader.Prefix.Length == 0 && reader.LocalName != "xmlns")
            {
                attributes.Add(new(reader.LocalName, reader.Value));
            }
        }

        reader.MoveToElement();
        return attributes;
    }

    internal static bool TryReadRevision(string comment, out long revision)
    {
        ReadOnlySpan<char> text = comment.AsSpan().Trim();
        revision = 0;
        return text.StartsWith(RevisionComment, StringComparison.Ordinal)
            && long.TryParse(text[RevisionComment.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out revision);
    }

    private static void ReadLabels(XmlReader reader, string before, StoreDocument document)
    {
        ElementReader labels = new(reader, level: 1, before, []);
        while (labels.MoveToChild())
        {
            if (labels.ChildName != "label")
            {
                labels.KeepChild();
                continue;
            }

            string id = reader.GetAttribute("id") ?? "";
            string color = reader.GetAttribute("color") ?? "";
            int line = reader is IXmlLineInfo info ? info.LineNumber : 0;
            ElementReader label = new(reader, level: 2, labels.TakeComments(), LabelAttributes);
            string name = label.ReadText();
            document.Labels.Add(new(id, color, name, line, label.Foreign));
        }

        document.Foreign.Add("labels", "", labels.Foreign);
    }

    private static void ReadPools(XmlReader reader, string before, StoreDocument document)
    {
        ElementReader pools = new(reader, level: 1, before, []);
        while (pools.MoveToChild())
        {
            if (pools.ChildName != "pool")
            {
                pools.KeepChild();
                continue;
            }

            List<KeyValuePair<string, string>> attributes = Attributes(reader);
            ElementReader pool = new(reader, level: 2, pools.TakeComments(), known: null);
            pool.KeepRest();
            document.Pools.Add(new StoredPool(attributes, pool.Foreign));
        }

        document.Foreign.Add("pools", "", pools.Foreign);
    }

    private static void ReadQubes(XmlReader reader, string before, StoreDocument document)
    {
        ElementReader qubes = new(reader, level: 1, before, []);
        while (qubes.MoveToChild())
        {
            if (qubes.ChildName == "domain")
            {
                document.Qubes.Add(StoredQubeReader.Read(reader, qubes.TakeComments(), document.Qubes.Count));
            }
            else
            {
                qubes.KeepChild();
            }
        }

        document.Foreign.Add("domains", "", qubes.Foreign);
    }

    private static void ReadQubesVerbatim(XmlReader reader, IReadOnlySet<int> positions, ref int position, Dictionary<int, string> found)
    {
        ElementReader qubes = new(reader, level: 1, before: "", []);
        while (qubes.MoveToChild())
        {
            string comments = qubes.TakeComments();
            if (qubes.ChildName != "domain")
            {
                reader.Skip();
                continue;
            }

            if (positions.Contains(position))
            {
                XmlOutput text = new();
                text.Raw(comments).Indent(QubeLevel);
                XmlCopy.Node(reader, text);
                found[position] = System.Text.Encoding.UTF8.GetString(text.Written).Trim();
            }
            else
            {
                reader.Skip();
            }

            position++;
        }
    }

    private static XmlReader Open(ReadOnlyMemory<byte> content)
    {
        // The array itself where there is one: a copy of the whole store would be wasted.
        MemoryStream stream = System.Runtime.InteropServices.MemoryMarshal.TryGetArray(content, out ArraySegment<byte> segment)
            ? new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false)
            : new MemoryStream(content.ToArray(), writable: false);
        return XmlReader.Create(stream, new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = MaxCharacters,
            CloseInput = true,
        });
    }
}
