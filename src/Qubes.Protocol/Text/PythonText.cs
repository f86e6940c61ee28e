using System.Globalization;
using System.Text;

namespace Qubes.Protocol.Text;

/// <summary>Text as Python prints it: error messages and some event keywords are defined in those terms.</summary>
public static class PythonText
{
    /// <summary>Python's <c>repr()</c> of a text: single quotes, or double ones if it holds a single quote and no double one.</summary>
    public static string Repr(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        char quote = value.Contains('\'') && !value.Contains('"') ? '"' : '\'';
        StringBuilder text = new(value.Length + 2);
        text.Append(quote);
        foreach (Rune rune in value.EnumerateRunes())
        {
            AppendRune(text, rune, quote);
        }

        return text.Append(quote).ToString();
    }

    /// <summary>Python's <c>str()</c> of a boolean.</summary>
    public static string Bool(bool value) => value ? "True" : "False";

    private static void AppendRune(StringBuilder text, Rune rune, char quote)
    {
        switch (rune.Value)
        {
            case '\\':
                text.Append("\\\\");
                break;
            case '\n':
                text.Append("\\n");
                break;
            case '\r':
                text.Append("\\r");
                break;
            case '\t':
                text.Append("\\t");
                break;
            default:
                if (rune.Value == quote)
                {
                    text.Append('\\').Append(quote);
                }
                else if (rune.Value is < 0x20 or (>= 0x7f and < 0xa1) or 0xad)
                {
                    text.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
                }
                else if (IsPrintable(rune))
                {
                    text.Append(rune.ToString());
                }
                else
                {
                    text.Append(rune.Value <= 0xffff
                        ? string.Create(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}")
                        : string.Create(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}"));
                }

                break;
        }
    }

    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
        && (rune.Value == ' ' || Rune.GetUnicodeCategory(rune) != UnicodeCategory.SpaceSeparator);
}
