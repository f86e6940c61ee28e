namespace Qvm.Tools;

/// <summary>Shell patterns over names: <c>*</c>, <c>?</c>, <c>[set]</c>, <c>[!set]</c>, case-sensitive.</summary>
internal static class ShellPattern
{
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        // The usual two-pointer match: on a mismatch, let the last star take one character more.
        int p = 0;
        int n = 0;
        int star = -1;
        int resume = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                resume = n;
            }
            else if (p < pattern.Length && MatchesOne(pattern, p, name[n], out int next))
            {
                p = next;
                n++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                n = ++resume;
            }
            else
            {
                return false;
            }
        }

        return p >= pattern.Length || pattern[p..].Trim('*').IsEmpty;
    }

    private static bool MatchesOne(ReadOnlySpan<char> pattern, int at, char c, out int next)
    {
        next = at + 1;
        if (pattern[at] == '?')
        {
            return true;
        }

        if (pattern[at] != '[')
        {
            return pattern[at] == c;
        }

        int first = at + 1;
        bool negated = first < pattern.Length && pattern[first] == '!';
        first += negated ? 1 : 0;

        // A ']' that comes first belongs to the set; a set without end is a plain '['.
        int length = first < pattern.Length ? pattern[(first + 1)..].IndexOf(']') : -1;
        if (length < 0)
        {
            return c == '[';
        }

        ReadOnlySpan<char> set = pattern.Slice(first, length + 1);
        next = first + length + 2;
        bool found = false;
        for (int i = 0; i < set.Length; i++)
        {
            bool isRange = i + 2 < set.Length && set[i + 1] == '-';
            found |= isRange ? c >= set[i] && c <= set[i + 2] : c == set[i];
            i += isRange ? 2 : 0;
        }

        return found != negated;
    }
}
