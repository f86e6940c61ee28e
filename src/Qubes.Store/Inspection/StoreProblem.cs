namespace Qubes.Store.Inspection;

/// <summary>Something in a store that is not as it should be.</summary>
/// <param name="Place">Where: <c>line 17</c> of the file, a section, or <c>journal</c>.</param>
/// <param name="Text">What, and what becomes of it at a start.</param>
public sealed record StoreProblem(string Place, string Text)
{
    internal static string Line(int line) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"line {line}");
}
