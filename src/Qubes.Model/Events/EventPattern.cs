namespace Qubes.Model.Events;

/// <summary>
/// An event name with shell wildcards: <c>*</c> any text, <c>?</c> one character, <c>[abc]</c>, <c>[a-z]</c>,
/// <c>[!abc]</c> one of a set. Matched against the whole name, case-sensitively.
/// </summary>
public sealed class EventPattern
{
    private readonly string _pattern;

    public EventPattern(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        _pattern = pattern;
        IsLiteral = !pattern.AsSpan().ContainsAny("*?[");
    }

    /// <summary>Without wildcards.</summary>
    public bool IsLiteral { get; }

    public bool Matches(ReadOnlySpan<char> name) => IsLiteral ? name.SequenceEqual(_pattern) : Match(_pattern, name);

    public override string ToString() => _pattern;

    // Greedy with one step back to the last star: linear in practice, quadratic at worst, no recursion.
    private static bool Match(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        int p = 0;
        int n = 0;
        int star = -1;
        int starName = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                starName = n;
            }
            else if (p < pattern.Length && MatchOne(pattern, ref p, name[n]))
            {
                n++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                n = ++starName;
            }
            else
            {
                return false;
            }
        }

        while (p < pattern.Length && pattern[p] == '*')
        {
            p++;
        }

        return p == pattern.Length;
    }

    /// <summary>Matches one character at <paramref name="p"/> and moves past it; leaves it alone on a mismatch.</summary>
    private static bool MatchOne(ReadOnlySpan<char> pattern, ref int p, char c)
    {
        if (pattern[p] == '[' && SetEnd(pattern, p) is var end and > 0)
        {
            ReadOnlySpan<char> set = pattern[(p + 1)..end];
            bool negated = set[0] == '!';
            if (InSet(negated ? set[1..] : set, c) == negated)
            {
                return false;
            }

            p = end + 1;
            return true;
        }

        if (pattern[p] != '?' && pattern[p] != c)
        {
            return false;
        }

        p++;
        return true;
    }

    // A bracket right after the opening one (or after its '!') belongs to the set.
    private static int SetEnd(ReadOnlySpan<char> pattern, int open)
    {
        int from = open + 1;
        from += from < pattern.Length && pattern[from] == '!' ? 2 : 1;
        int at = from < pattern.Length ? pattern[from..].IndexOf(']') : -1;
        return at < 0 ? -1 : from + at;
    }

    private static bool InSet(ReadOnlySpan<char> set, char c)
    {
        for (int i = 0; i < set.Length; i++)
        {
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                if (c >= set[i] && c <= set[i + 2])
                {
                    return true;
                }

                i += 2;
            }
            else if (set[i] == c)
            {
                return true;
            }
        }

        return false;
    }
}
