using System.Globalization;

namespace Qubes.Admin.State;

/// <summary>
/// A point in the sequence of states, <c>RUN.NUMBER</c>: eight hex digits that tell runs of the daemon apart, and a number that rises by
/// one with every told change. Finer than a revision of the store, since power states change without a commit.
/// </summary>
internal readonly record struct StatePosition(uint Run, long Number)
{
    private const int RunDigits = 8;

    public static bool TryParse(ReadOnlySpan<char> untrustedText, out StatePosition position)
    {
        position = default;
        if (untrustedText.Length < RunDigits + 2 || untrustedText[RunDigits] != '.'
            || !uint.TryParse(untrustedText[..RunDigits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint run)
            || !long.TryParse(untrustedText[(RunDigits + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out long number))
        {
            return false;
        }

        position = new StatePosition(run, number);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Run:x8}.{Number}");
}
