using System.Globalization;
using System.Text;

namespace Qubes.Linux;

/// <summary>Makes text from outside safe to stand in a log line.</summary>
public static class LogText
{
    private const int LongestText = 4096;

    /// <summary>
    /// Printable ASCII stays, everything else becomes <c>\xNN</c>/<c>\uNNNN</c>, so that a value can neither forge lines nor
    /// send terminal sequences. Longer than 4096 characters: cut, ending in <c>...</c>.
    /// </summary>
    public static string Escape(ReadOnlySpan<char> untrustedText) => Escape(untrustedText, isEscaped: false);

    /// <summary>
    /// As <see cref="Escape(ReadOnlySpan{char})"/>, for a message whose parts from outside were escaped already: backslashes stay single.
    /// The last guard before a line is written.
    /// </summary>
    public static string Guard(ReadOnlySpan<char> message) => Escape(message, isEscaped: true);

    private static string Escape(ReadOnlySpan<char> untrustedText, bool isEscaped)
    {
        var cut = untrustedText.Length > LongestText;
        if (cut)
            untrustedText = untrustedText[..LongestText];
        if (!cut && !untrustedText.ContainsAnyExceptInRange(' ', '~') && (isEscaped || !untrustedText.Contains('\\')))
            return untrustedText.ToString();

        var text = new StringBuilder(untrustedText.Length + 16);
        foreach (var c in untrustedText)
        {
            if (c == '\\' && !isEscaped)
                text.Append("\\\\");
            else if (c is >= ' ' and <= '~')
                text.Append(c);
            else if (c < 0x100)
                text.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}");
            else
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }

        return cut ? text.Append("...").ToString() : text.ToString();
    }
}
