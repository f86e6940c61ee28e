using System.Collections.Immutable;

namespace Qubes.Policy.Syntax;

/// <summary>Cuts a policy file into lines of words. Lines end with LF, CR LF or CR; blanks at their ends do not matter.</summary>
internal static class PolicyLexer
{
    public static IEnumerable<SourceLine> Read(string text, PolicyFormat format)
    {
        int number = 0;
        int start = 0;
        while (start < text.Length)
        {
            number++;
            int end = text.AsSpan(start).IndexOfAny('\n', '\r');
            end = end < 0 ? text.Length : start + end;
            ImmutableArray<Word> words = IsSilent(text.AsSpan(start, end - start)) ? [] : Split(text[start..end], format);
            if (!words.IsEmpty)
            {
                yield return new SourceLine(number, words);
            }

            start = end + 1;
            if (end < text.Length - 1 && text[end] == '\r' && text[end + 1] == '\n')
            {
                start++;
            }
        }
    }

    private static bool IsSilent(ReadOnlySpan<char> line)
    {
        foreach (char c in line)
        {
            if (!IsBlank(c))
            {
                return c == '#';
            }
        }

        return true;
    }

    private static ImmutableArray<Word> Split(string line, PolicyFormat format)
    {
        if (format == PolicyFormat.OneService)
        {
            // Substitutions of the old form. Each keeps the length, so columns stay true.
            line = line.Replace("$include:", "!include ", StringComparison.Ordinal).Replace('$', '@').Replace(',', ' ');
        }

        ImmutableArray<Word>.Builder words = ImmutableArray.CreateBuilder<Word>(8);
        int at = 0;
        while (at < line.Length)
        {
            if (IsBlank(line[at]))
            {
                at++;
                continue;
            }

            int start = at;
            while (at < line.Length && !IsBlank(line[at]))
            {
                at++;
            }

            words.Add(new Word(line[start..at], start + 1));
        }

        return words.ToImmutable();
    }

    // Also the four separators of ASCII, which upstream's language counts as blanks and .NET does not.
    private static bool IsBlank(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';
}
