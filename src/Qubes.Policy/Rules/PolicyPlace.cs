using System.Globalization;
using Qubes.Policy.Text;

namespace Qubes.Policy.Rules;

/// <summary>A line of a policy file. Rules that stand in no line of their own (the implicit denials of the 4.0 format) have none.</summary>
/// <param name="File">Path of the file the line was read from.</param>
/// <param name="Line">Counted from 1, or null for the file as a whole.</param>
public sealed record PolicyPlace(string File, int? Line)
{
    /// <summary><c>FILE:LINE</c>, or only <c>FILE</c>; safe to log.</summary>
    public override string ToString() =>
        Line is { } line ? string.Create(CultureInfo.InvariantCulture, $"{PythonText.Escape(File)}:{line}") : PythonText.Escape(File);
}
