using System.Text;

namespace Qubes.Protocol.Text;

/// <summary>
/// Text from one party for another one's eyes: no character may change the direction of others, combine with them, look like nothing,
/// or need a renderer's more doubtful parts.
/// </summary>
public static class DisplayText
{
    private const char Substitute = '_';

    /// <summary>Whether the character may be shown as it is.</summary>
    public static bool IsSafe(Rune rune) => rune.Value < 0x80 ? rune.Value is >= 0x20 and < 0x7f : IsInTable(rune.Value);

    /// <summary>Replaces each unsafe character by <c>_</c>, one for one. Tab and line feed stay.</summary>
    public static string Sanitise(string untrustedText)
    {
        ArgumentNullException.ThrowIfNull(untrustedText);
        if (!untrustedText.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return untrustedText;
        }

        StringBuilder text = new(untrustedText.Length);
        foreach (Rune rune in untrustedText.EnumerateRunes())
        {
            if (rune.Value is '\t' or '\n' || IsSafe(rune))
            {
                text.Append(rune.ToString());
            }
            else
            {
                text.Append(Substitute);
            }
        }

        return text.ToString();
    }

    // The place where the code point would be inserted: inside a range that is odd, or the start of one.
    private static bool IsInTable(int codePoint)
    {
        int at = DisplayCharacters.Ranges.BinarySearch(codePoint);
        return at >= 0 || (~at & 1) == 1;
    }
}
