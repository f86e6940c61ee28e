using System.Text;
using System.Xml;
using Qubes.Model.Foreign;

namespace Qubes.Store.Format;

/// <summary>
/// Reads one element of the store and keeps what nobody asks for: attributes, elements, comments and processing instructions, at any place.
/// Text between elements is no content.
/// </summary>
internal ref struct ElementReader
{
    private readonly XmlReader _reader;
    private readonly int _level;
    private readonly string _before;
    private readonly string _attributes;
    private XmlOutput? _comments;
    private XmlOutput? _inside;
    private bool _isEntered;
    private bool _isEnded;

    /// <param name="reader">At the element's start; attributes can still be read.</param>
    /// <param name="level">How deep the element stands in the file, where the root is 0.</param>
    /// <param name="before">The comments in front of it.</param>
    /// <param name="known">The attributes that are understood; null if all are that have no prefix.</param>
    public ElementReader(XmlReader reader, int level, string before, string[]? known)
    {
        _reader = reader;
        _level = level;
        _before = before;
        _attributes = XmlCopy.Attributes(reader, known);
    }

    /// <summary>The name of the child the reader is at; none when it is of a namespace, as nothing of the store is.</summary>
    public readonly string ChildName => _reader.NamespaceURI.Length == 0 ? _reader.LocalName : "";

    /// <summary>What was kept; complete once the element has been read to its end.</summary>
    public readonly ForeignXml? Foreign => _before.Length == 0 && _attributes.Length == 0 && _inside is null
        ? null
        : new ForeignXml(_before, _attributes, _inside is null ? "" : TextOf(_inside));

    /// <summary>The number the comment <c>revision N</c> in the root says.</summary>
    public long? Revision { get; private set; }

    /// <summary>
    /// Goes to the next child, which then has to be read to its end or kept. After the last one the reader is behind the element.
    /// </summary>
    public bool MoveToChild()
    {
        Enter();
        while (!_isEnded)
        {
            switch (_reader.NodeType)
            {
                case XmlNodeType.Element:
                    return true;
                case XmlNodeType.EndElement:
                    End();
                    break;
                case XmlNodeType.Comment when _level == 0 && StoreReader.TryReadRevision(_reader.Value, out long revision):
                    Revision = revision;
                    Advance();
                    break;
                case XmlNodeType.Comment or XmlNodeType.ProcessingInstruction:
                    CopyLine(_comments ??= new XmlOutput());
                    break;
                default:
                    Advance();
                    break;
            }
        }

        return false;
    }

    /// <summary>The comments in front of the child, for whoever reads it.</summary>
    public string TakeComments()
    {
        string comments = _comments is null ? "" : TextOf(_comments);
        _comments = null;
        return comments;
    }

    /// <summary>Keeps the child, which nobody understands.</summary>
    public void KeepChild()
    {
        KeepComments();
        CopyLine(_inside ??= new XmlOutput());
    }

    /// <summary>Reads on, and keeps all children.</summary>
    public void KeepRest()
    {
        while (MoveToChild())
        {
            KeepChild();
        }
    }

    /// <summary>Reads the element as one of text: what is directly inside it.</summary>
    public string ReadText()
    {
        string text = "";
        Enter();
        while (!_isEnded)
        {
            switch (_reader.NodeType)
            {
                case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace:
                    text += _reader.Value;
                    Advance();
                    break;
                case XmlNodeType.EndElement:
                    End();
                    break;
                case XmlNodeType.Element or XmlNodeType.Comment or XmlNodeType.ProcessingInstruction:
                    XmlCopy.Node(_reader, _inside ??= new XmlOutput());
                    break;
                default:
                    Advance();
                    break;
            }
        }

        return text;
    }

    /// <summary>Goes to the root, and gives the comments in front of it.</summary>
    public static string MoveToRoot(XmlReader reader, int level)
    {
        XmlOutput? comments = null;
        while (reader.NodeType != XmlNodeType.Element)
        {
            if (reader.NodeType is XmlNodeType.Comment or XmlNodeType.ProcessingInstruction)
            {
                CopyLine(reader, comments ??= new XmlOutput(), level);
            }
            else
            {
                reader.Read();
            }
        }

        return comments is null ? "" : TextOf(comments);
    }

    /// <summary>Reads what follows the root, which must be well-formed too, and gives the comments.</summary>
    public static string ReadToEnd(XmlReader reader)
    {
        XmlOutput? comments = null;
        while (!reader.EOF)
        {
            if (reader.NodeType is XmlNodeType.Comment or XmlNodeType.ProcessingInstruction)
            {
                CopyLine(reader, comments ??= new XmlOutput(), level: 0);
            }
            else
            {
                reader.Read();
            }
        }

        return comments is null ? "" : TextOf(comments);
    }

    private static void CopyLine(XmlReader reader, XmlOutput output, int level)
    {
        output.Indent(level);
        XmlCopy.Node(reader, output);
        output.Raw("\n"u8);
    }

    private static string TextOf(XmlOutput output) => Encoding.UTF8.GetString(output.Written);

    private void Enter()
    {
        if (!_isEntered)
        {
            _isEntered = true;
            _isEnded = _reader.IsEmptyElement;
            _reader.ReadStartElement();
        }
    }

    // Comments behind the last child stand behind whatever is kept.
    private void End()
    {
        _reader.ReadEndElement();
        _isEnded = true;
        KeepComments();
    }

    private readonly void Advance()
    {
        if (!_reader.Read())
        {
            throw new XmlException("Unexpected end of the store");
        }
    }

    private readonly void CopyLine(XmlOutput output) => CopyLine(_reader, output, _level + 1);

    private void KeepComments()
    {
        if (_comments is not null)
        {
            (_inside ??= new XmlOutput()).Raw(_comments.Written);
            _comments = null;
        }
    }
}
