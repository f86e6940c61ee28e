namespace Qubes.Admin.Planning;

/// <summary>Whether rules let more through than others did.</summary>
internal static class FirewallReach
{
    /// <summary>
    /// False only if what the new rules accept the old ones accepted: the new list is the old one without some rules that accept, and with
    /// any more that drop. Everything else may widen. The first rule that matches counts; where none does, nothing passes.
    /// </summary>
    /// <param name="before">Rules as the API gives them.</param>
    /// <param name="after">The new ones.</param>
    public static bool MayWiden(IReadOnlyList<string> before, IReadOnlyList<string> after)
    {
        int next = 0;
        foreach (string rule in before)
        {
            int at = next;
            while (at < after.Count && after[at] != rule && IsDrop(after[at]))
            {
                at++;
            }

            if (at < after.Count && after[at] == rule)
            {
                next = at + 1;
            }
            else if (IsDrop(rule))
            {
                return after.Skip(next).Any(later => !IsDrop(later));
            }
        }

        return after.Skip(next).Any(rule => !IsDrop(rule));
    }

    private static bool IsDrop(string rule) => rule == "action=drop" || rule.StartsWith("action=drop ", StringComparison.Ordinal);
}
