using System.Buffers;

namespace Qubes.Protocol.Text;

/// <summary>Lines as Python's <c>splitlines()</c> takes ASCII text apart.</summary>
public static class PythonLines
{
    private static readonly SearchValues<char> Ends = SearchValues.Create("\n\r\v\f\u001c\u001d\u001e");

    /// <summary>
    /// Each of LF, CR, CR LF, VT, FF, FS, GS and RS ends a line. A text that ends in one has no empty line after it; an empty text has
    /// no line at all.
    /// </summary>
    public static IEnumerable<string> Split(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int start = 0;
        while (start < text.Length)
        {
            int length = text.AsSpan(start).IndexOfAny(Ends);
            if (length < 0)
            {
                yield return text[start..];
                yield break;
            }

            yield return text.Substring(start, length);
            bool isPair = text[start + length] == '\r' && start + length + 1 < text.Length && text[start + length + 1] == '\n';
            start += length + (isPair ? 2 : 1);
        }
    }
}
