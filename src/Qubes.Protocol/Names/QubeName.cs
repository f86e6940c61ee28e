using System.Diagnostics.CodeAnalysis;
using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Names;

/// <summary>
/// A valid qube name: 1 to 31 characters of <c>[a-zA-Z][a-zA-Z0-9_.-]*</c>, not reserved. Ordered by bytes.
/// A value obtained other than by parsing (<c>default</c>) is empty and valid nowhere.
/// </summary>
public readonly record struct QubeName : IComparable<QubeName>
{
    public const int MaxLength = 31;

    /// <summary>The name of the administrative domain.</summary>
    public static readonly QubeName Dom0 = new("dom0");

    private readonly string? _value;

    private QubeName(string value) => _value = value;

    public string Value => _value ?? "";

    /// <summary>Validates a name from outside; the texts of refusal are those of the Admin API (<c>QubesValueError</c>).</summary>
    public static QubeName Parse(string untrustedName) =>
        Check(untrustedName) is { } fault ? throw QubesErrors.Value(fault) : new QubeName(untrustedName);

    public static bool TryParse([NotNullWhen(true)] string? untrustedName, out QubeName name)
    {
        bool valid = untrustedName is not null && Check(untrustedName) is null;
        name = valid ? new QubeName(untrustedName!) : default;
        return valid;
    }

    /// <summary>The reason why the text is no valid name, in the order in which upstream checks; null if it is one.</summary>
    public static string? Check(ReadOnlySpan<char> untrustedName)
    {
        if (untrustedName.Length > MaxLength)
        {
            return "VM name must be shorter than 32 characters";
        }

        if (untrustedName.IsEmpty)
        {
            return "VM name contains illegal characters";
        }

        if (char.IsAsciiDigit(untrustedName[0]) || untrustedName[0] is '_' or '.' or '-')
        {
            return "VM name cannot start with hyphen, underscore, dot or numbers";
        }

        if (!char.IsAsciiLetter(untrustedName[0])
            || untrustedName.ContainsAnyExcept(NameCharacters.LettersDigitsDashUnderscoreDot))
        {
            return "VM name contains illegal characters";
        }

        return untrustedName switch
        {
            "Domain-0" => "VM name cannot be 'Domain-0'",
            "none" or "default" => "VM name cannot be 'none' nor 'default'",
            _ when untrustedName.EndsWith("-dm", StringComparison.Ordinal) => "VM name cannot end with -dm",
            _ => null,
        };
    }

    public static implicit operator string(QubeName name) => name.Value;

    public static bool operator <(QubeName left, QubeName right) => left.CompareTo(right) < 0;

    public static bool operator >(QubeName left, QubeName right) => left.CompareTo(right) > 0;

    public static bool operator <=(QubeName left, QubeName right) => left.CompareTo(right) <= 0;

    public static bool operator >=(QubeName left, QubeName right) => left.CompareTo(right) >= 0;

    public int CompareTo(QubeName other) => string.CompareOrdinal(Value, other.Value);

    public override string ToString() => Value;
}
