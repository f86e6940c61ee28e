using System.Globalization;
using System.Xml;

namespace Qubes.Store.Format;

/// <summary>
/// Reads the text of a store into a <see cref="StoreDocument"/>. Sections may come in any order; the root's name and attributes
/// do not matter (old files have a version there).
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

    /// <exception cref="XmlException">Not well-formed, or beyond the limits.</exception>
    public static StoreDocument Read(ReadOnlyMemory<byte> content)
    {
        StoreDocument document = new();
        using XmlReader reader = Open(content);
        reader.MoveToContent();
        ForEachChild(reader, document, static (reader, document) =>
        {
            switch (reader.LocalName)
            {
                case "labels":
                    ForEachChild(reader, document, static (reader, document) => document.Labels.Add(ReadLabel(reader)));
                    break;
                case "pools":
                    ForEachChild(reader, document, static (reader, document) =>
                    {
                        document.Pools.Add(Attributes(reader));
                        reader.Skip();
                    });
                    break;
                case "properties":
                    ForEachChild(reader, document, static (reader, document) => document.Properties.Add(ReadProperty(reader)));
                    break;
                case "domains":
                    document.HasQubes = true;
                    ForEachChild(reader, document, static (reader, document) =>
                        document.Qubes.Add(StoredQubeReader.Read(reader, document.Qubes.Count)));
                    break;
                default:
                    document.Unknown.Add(reader.ReadOuterXml());
                    break;
            }
        });

        // Whatever follows the root must be well-formed too.
        while (reader.Read())
        {
        }

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
        reader.MoveToContent();
        int position = 0;
        ForEachChild(reader, found, (reader, found) =>
        {
            if (reader.LocalName != "domains")
            {
                reader.Skip();
                return;
            }

            ForEachChild(reader, found, (reader, found) =>
            {
                if (positions.Contains(position))
                {
                    found[position] = reader.ReadOuterXml();
                }
                else
                {
                    reader.Skip();
                }

                position++;
            });
        });
        return found;
    }

    /// <summary>Reads one <c>domain</c> element that stands alone.</summary>
    public static StoredQube ReadQube(ReadOnlyMemory<byte> fragment, string? source = null)
    {
        using XmlReader reader = Open(fragment);
        reader.MoveToContent();
        return StoredQubeReader.Read(reader, position: -1, source);
    }

    /// <summary>Visits each child element; <paramref name="visit"/> consumes it. Ends behind the element's end.</summary>
    internal static void ForEachChild<T>(XmlReader reader, T state, Action<XmlReader, T> visit)
    {
        bool isEmpty = reader.IsEmptyElement;
        reader.ReadStartElement();
        if (isEmpty)
        {
            return;
        }

        while (true)
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    visit(reader, state);
                    break;
                case XmlNodeType.EndElement:
                    reader.ReadEndElement();
                    return;
                case XmlNodeType.Comment when state is StoreDocument document && reader.Depth == 1:
                    ReadComment(reader.Value, document);
                    reader.Read();
                    break;
                default:
                    if (!reader.Read())
                    {
                        throw new XmlException("Unexpected end of the store");
                    }

                    break;
            }
        }
    }

    internal static KeyValuePair<string, string> ReadProperty(XmlReader reader)
    {
        string name = reader.GetAttribute("name") ?? "";
        string? reference = reader.GetAttribute("ref");
        string text = ReadText(reader);
        return new(name, string.IsNullOrEmpty(reference) ? text : reference);
    }

    internal static List<KeyValuePair<string, string>> Attributes(XmlReader reader)
    {
        List<KeyValuePair<string, string>> attributes = new(reader.AttributeCount);
        for (int i = 0; i < reader.AttributeCount; i++)
        {
            reader.MoveToAttribute(i);
            attributes.Add(new(reader.LocalName, reader.Value));
        }

        reader.MoveToElement();
        return attributes;
    }

    /// <summary>The text directly inside the element; elements inside it are skipped. Consumes the element.</summary>
    internal static string ReadText(XmlReader reader)
    {
        bool isEmpty = reader.IsEmptyElement;
        reader.ReadStartElement();
        if (isEmpty)
        {
            return "";
        }

        string text = "";
        while (reader.NodeType != XmlNodeType.EndElement)
        {
            if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace)
            {
                text += reader.Value;
                reader.Read();
            }
            else if (reader.NodeType == XmlNodeType.Element)
            {
                reader.Skip();
            }
            else if (!reader.Read())
            {
                throw new XmlException("Unexpected end of the store");
            }
        }

        reader.ReadEndElement();
        return text;
    }

    private static StoredLabel ReadLabel(XmlReader reader)
    {
        string id = reader.GetAttribute("id") ?? "";
        string color = reader.GetAttribute("color") ?? "";
        int line = reader is IXmlLineInfo info ? info.LineNumber : 0;
        return new(id, color, ReadText(reader), line);
    }

    private static void ReadComment(string comment, StoreDocument document)
    {
        string text = comment.Trim();
        if (text.StartsWith(RevisionComment, StringComparison.Ordinal)
            && long.TryParse(text.AsSpan(RevisionComment.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long revision))
        {
            document.Revision = revision;
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
            IgnoreProcessingInstructions = true,
            CloseInput = true,
        });
    }
}
