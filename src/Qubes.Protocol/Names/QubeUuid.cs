using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Names;

/// <summary>A qube's UUID. Its text form is the canonical lower-case one, on the wire with <c>uuid:</c> in front.</summary>
public readonly record struct QubeUuid(Guid Value) : IComparable<QubeUuid>
{
    /// <summary>How a request names a qube by UUID.</summary>
    public const string WirePrefix = "uuid:";

    private const int CanonicalLength = 36;

    /// <summary>dom0's UUID: all zero.</summary>
    public static QubeUuid Dom0 => new(Guid.Empty);

    /// <summary>The form used in place of a qube name in requests and some replies.</summary>
    public string WireText => WirePrefix + ToString();

    /// <summary>Reads the part after <see cref="WirePrefix"/>: five groups of lower-case hex digits, nothing else.</summary>
    /// <exception cref="QubesException"><c>QubesVMInvalidUUIDError</c>.</exception>
    public static QubeUuid ParseWire(string untrustedText) => TryParseCanonical(untrustedText, out QubeUuid uuid)
        ? uuid
        : throw QubesErrors.VMInvalidUuid(untrustedText);

    /// <summary>The strict form: 8-4-4-4-12 lower-case hex digits.</summary>
    public static bool TryParseCanonical(ReadOnlySpan<char> untrustedText, out QubeUuid uuid)
    {
        uuid = default;
        if (untrustedText.Length != CanonicalLength || untrustedText.ContainsAnyExcept(NameCharacters.CanonicalUuid)
            || !Guid.TryParseExact(untrustedText, "D", out Guid value))
        {
            return false;
        }

        uuid = new QubeUuid(value);
        return true;
    }

    /// <summary>The lenient form of property values: <c>urn:</c>, <c>uuid:</c>, braces and hyphens may surround 32 hex digits.</summary>
    public static bool TryParseLenient(string untrustedText, out QubeUuid uuid)
    {
        uuid = default;
        ArgumentNullException.ThrowIfNull(untrustedText);
        if (untrustedText.Length > 64)
        {
            return false;
        }

        string digits = untrustedText.Replace("urn:", "", StringComparison.Ordinal).Replace("uuid:", "", StringComparison.Ordinal)
            .Trim('{', '}').Replace("-", "", StringComparison.Ordinal);
        if (digits.Length != 32 || !Guid.TryParseExact(digits, "N", out Guid value))
        {
            return false;
        }

        uuid = new QubeUuid(value);
        return true;
    }

    public static bool operator <(QubeUuid left, QubeUuid right) => left.CompareTo(right) < 0;

    public static bool operator >(QubeUuid left, QubeUuid right) => left.CompareTo(right) > 0;

    public static bool operator <=(QubeUuid left, QubeUuid right) => left.CompareTo(right) <= 0;

    public static bool operator >=(QubeUuid left, QubeUuid right) => left.CompareTo(right) >= 0;

    public int CompareTo(QubeUuid other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString("D");
}
