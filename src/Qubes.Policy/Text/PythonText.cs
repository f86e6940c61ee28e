using System.Globalization;
using System.Text;

namespace Qubes.Policy.Text;

/// <summary>Quoting as upstream's messages show it: editors and people's scripts match these texts.</summary>
internal static class PythonText
{
    /// <summary>The text in quotes, with everything that is not printable escaped, so that it may go into a log.</summary>
    public static string Quote(string text)
    {
        char quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        StringBuilder quoted = new(text.Length + 2);
        quoted.Append(quote);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune.Value == quote || rune.Value == '\\')
            {
                quoted.Append('\\').Append((char)rune.Value);
            }
            else
            {
                AppendPrintable(quoted, rune);
            }
        }

        return quoted.Append(quote).ToString();
    }

    /// <summary>The text without quotes, for messages that show it bare: only what is not printable is escaped.</summary>
    public static string Escape(string text)
    {
        foreach (char c in text)
        {
            if (c is < ' ' or > '~')
            {
                StringBuilder escaped = new(text.Length + 8);
                foreach (Rune rune in text.EnumerateRunes())
                {
                    AppendPrintable(escaped, rune);
                }

                return escaped.ToString();
            }
        }

        return text;
    }

    /// <summary>A list of quoted texts in brackets, as the message on unfit parameters shows them.</summary>
    public static string QuoteList(IEnumerable<string> texts) => $"[{string.Join(", ", texts.Select(Quote))}]";

    /// <summary>Characters in round brackets with the comma a single one keeps.</summary>
    public static string QuoteTuple(IReadOnlyCollection<char> characters)
    {
        string inner = string.Join(", ", characters.Select(c => Quote(c.ToString())));
        return characters.Count == 1 ? $"({inner},)" : $"({inner})";
    }

    private static void AppendPrintable(StringBuilder builder, Rune rune)
    {
        switch (rune.Value)
        {
            case '\n':
                builder.Append("\\n");
                break;
            case '\r':
                builder.Append("\\r");
                break;
            case '\t':
                builder.Append("\\t");
                break;
            case < ' ' or 0x7f:
                builder.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
                break;
            case <= 0xff and > 0x7f when IsInvisible(rune):
                builder.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
                break;
            case <= 0xffff when IsInvisible(rune):
                builder.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
                break;
            case > 0xffff when IsInvisible(rune):
                builder.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}");
                break;
            default:
                builder.Append(rune.ToString());
                break;
        }
    }

    private static bool IsInvisible(Rune rune) =>
        rune.Value > 0x7e && Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator
        && rune.Value != ' ';
}
