using System.Xml;

namespace Qubes.Store.Format;

/// <summary>
/// Copies XML nobody asked to understand, in the form in which the store is written: a copy of a copy is the same text. It stands by itself,
/// with the namespaces that were declared around it.
/// </summary>
internal static class XmlCopy
{
    private const string Declaration = "xmlns";

    /// <summary>Copies the element, comment or processing instruction the reader is at, with all that is in it, and moves behind it.</summary>
    public static void Node(XmlReader reader, XmlOutput output)
    {
        if (reader.NodeType != XmlNodeType.Element)
        {
            Write(reader, output);
            reader.Read();
            return;
        }

        int depth = reader.Depth;
        bool isEmpty = reader.IsEmptyElement;
        StartElement(reader, output, isOutermost: true);
        while (!isEmpty)
        {
            if (!reader.Read())
            {
                throw new XmlException("Unexpected end of the store");
            }

            Write(reader, output);
            isEmpty = reader.NodeType == XmlNodeType.EndElement && reader.Depth == depth;
        }

        reader.Read();
    }

    /// <summary>Copies the attributes of the element the reader is at that have a prefix or are none of <paramref name="known"/> (null: all known).</summary>
    public static string Attributes(XmlReader reader, string[]? known)
    {
        XmlOutput? output = null;
        SortedDictionary<string, string>? prefixes = null;
        for (int i = 0; i < reader.AttributeCount; i++)
        {
            reader.MoveToAttribute(i);
            if (reader.Prefix.Length == 0 && reader.LocalName != Declaration && (known is null || known.Contains(reader.LocalName)))
            {
                continue;
            }

            (output ??= new XmlOutput()).Attribute(reader.Name, reader.Value);
            if (reader.Prefix.Length > 0 && reader.Prefix is not ("xml" or Declaration))
            {
                (prefixes ??= new(StringComparer.Ordinal))[reader.Prefix] = reader.NamespaceURI;
            }
        }

        reader.MoveToElement();
        foreach ((string prefix, string name) in prefixes ?? [])
        {
            Declare(reader, prefix, name, output!);
        }

        return output is null ? "" : System.Text.Encoding.UTF8.GetString(output.Written);
    }

    private static void Write(XmlReader reader, XmlOutput output)
    {
        switch (reader.NodeType)
        {
            case XmlNodeType.Element:
                StartElement(reader, output, isOutermost: false);
                break;
            case XmlNodeType.EndElement:
                output.Raw("</"u8).Raw(reader.Name).Raw(">"u8);
                break;
            case XmlNodeType.Comment:
                output.Raw("<!--"u8).Raw(reader.Value).Raw("-->"u8);
                break;
            case XmlNodeType.ProcessingInstruction:
                output.Raw("<?"u8).Raw(reader.Name).Raw(reader.Value.Length > 0 ? " "u8 : default).Raw(reader.Value).Raw("?>"u8);
                break;
            default:
                output.Text(reader.Value);
                break;
        }
    }

    private static void StartElement(XmlReader reader, XmlOutput output, bool isOutermost)
    {
        output.Raw("<"u8).Raw(reader.Name);
        for (int i = 0; i < reader.AttributeCount; i++)
        {
            reader.MoveToAttribute(i);
            output.Attribute(reader.Name, reader.Value);
        }

        reader.MoveToElement();
        if (isOutermost)
        {
            foreach ((string prefix, string name) in ((IXmlNamespaceResolver)reader).GetNamespacesInScope(XmlNamespaceScope.ExcludeXml))
            {
                // One without a prefix stands at the element itself: around it nothing would have been understood.
                if (prefix.Length > 0)
                {
                    Declare(reader, prefix, name, output);
                }
            }
        }

        output.Raw(reader.IsEmptyElement ? "/>"u8 : ">"u8);
    }

    // What was declared further out has to be said here, since the text is written where that may not hold.
    private static void Declare(XmlReader reader, string prefix, string name, XmlOutput output)
    {
        string declaration = $"{Declaration}:{prefix}";
        if (reader.GetAttribute(declaration) is null)
        {
            output.Attribute(declaration, name);
        }
    }
}
