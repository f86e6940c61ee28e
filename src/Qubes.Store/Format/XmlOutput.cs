using System.Buffers;
using System.Text;
using Qubes.Model.Foreign;

namespace Qubes.Store.Format;

/// <summary>
/// Writes XML the way upstream's store looks: two blanks for each level, text escaped with <c>&amp;amp; &amp;lt; &amp;gt;</c> and
/// <c>&amp;#13;</c>, attributes also with <c>&amp;quot; &amp;#10; &amp;#9;</c>; everything else raw UTF-8.
/// </summary>
internal sealed class XmlOutput
{
    private static readonly SearchValues<char> EscapedInText = SearchValues.Create("&<>\r");
    private static readonly SearchValues<char> EscapedInAttribute = SearchValues.Create("&<>\r\n\t\"");

    private readonly ArrayBufferWriter<byte> _buffer = new(4096);

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    public void Clear() => _buffer.ResetWrittenCount();

    public XmlOutput Raw(ReadOnlySpan<byte> utf8)
    {
        _buffer.Write(utf8);
        return this;
    }

    public XmlOutput Raw(string? text)
    {
        Encoding.UTF8.GetBytes(text, _buffer);
        return this;
    }

    public XmlOutput Indent(int level)
    {
        Span<byte> blanks = _buffer.GetSpan(level * 2)[..(level * 2)];
        blanks.Fill((byte)' ');
        _buffer.Advance(level * 2);
        return this;
    }

    public XmlOutput Attribute(ReadOnlySpan<byte> name, string value)
    {
        Raw(" "u8).Raw(name).Raw("=\""u8);
        Escape(value, EscapedInAttribute);
        return Raw("\""u8);
    }

    public XmlOutput Attribute(string name, string value)
    {
        Raw(" "u8).Raw(name).Raw("=\""u8);
        Escape(value, EscapedInAttribute);
        return Raw("\""u8);
    }

    /// <summary>A whole line <c>&lt;element name="…"&gt;text&lt;/element&gt;</c>.</summary>
    public void NamedLine(int level, ReadOnlySpan<byte> element, string name, string text, ForeignXml? foreign = null)
    {
        Start(level, element, foreign).Attribute("name"u8, name).Raw(foreign?.Attributes).Raw(">"u8);
        Escape(text, EscapedInText);
        Raw(foreign?.Inside).Raw("</"u8).Raw(element).Raw(">\n"u8);
    }

    /// <summary>Begins an element on a new line, up to its name.</summary>
    public XmlOutput Start(int level, ReadOnlySpan<byte> element, ForeignXml? foreign) =>
        Raw(foreign?.Before).Indent(level).Raw("<"u8).Raw(element);

    /// <summary>Ends a start tag, with attributes nobody understands; the whole element if it has nothing inside.</summary>
    /// <returns>Whether there is something inside, and <see cref="End"/> has to follow.</returns>
    public bool EndOfStart(ForeignXml? foreign, bool hasContent)
    {
        bool isOpen = hasContent || foreign is { Inside.Length: > 0 };
        Raw(foreign?.Attributes).Raw(isOpen ? ">\n"u8 : "/>\n"u8);
        return isOpen;
    }

    /// <summary>Ends an element that has lines of its own, behind what nobody understands.</summary>
    public void End(int level, ReadOnlySpan<byte> element, ForeignXml? foreign) =>
        Raw(foreign?.Inside).Indent(level).Raw("</"u8).Raw(element).Raw(">\n"u8);

    public XmlOutput Text(string text)
    {
        Escape(text, EscapedInText);
        return this;
    }

    private void Escape(ReadOnlySpan<char> text, SearchValues<char> escaped)
    {
        while (true)
        {
            int plain = text.IndexOfAny(escaped);
            Encoding.UTF8.GetBytes(plain < 0 ? text : text[..plain], _buffer);
            if (plain < 0)
            {
                return;
            }

            Raw(text[plain] switch
            {
                '&' => "&amp;"u8,
                '<' => "&lt;"u8,
                '>' => "&gt;"u8,
                '"' => "&quot;"u8,
                '\r' => "&#13;"u8,
                '\n' => "&#10;"u8,
                _ => "&#9;"u8,
            });
            text = text[(plain + 1)..];
        }
    }
}
