using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Protocol.Text;

namespace Qubes.Protocol.Properties;

/// <summary>
/// The coarse validation of the payload of a property Set, by declared type. It runs before permission and setter and turns the
/// bytes into a value of that type; all refusals are <c>QubesValueError</c>.
/// </summary>
public static class PropertyPayload
{
    private static readonly SearchValues<byte> PrintableAscii = SearchValues.Create(
        [.. Enumerable.Range(0x20, 0x5f).Select(b => (byte)b), (byte)'\t', (byte)'\n', (byte)'\r']);

    /// <summary>Any payload must be ASCII.</summary>
    public static string ToAscii(ReadOnlySpan<byte> untrustedPayload) => Ascii.IsValid(untrustedPayload)
        ? Encoding.ASCII.GetString(untrustedPayload)
        : throw QubesErrors.Value("Non-ASCII bytes in property value");

    /// <summary><c>0 no false off</c> or <c>1 yes true on</c> in any case, no blanks.</summary>
    public static bool ToBool(string untrustedText)
    {
        ArgumentNullException.ThrowIfNull(untrustedText);
        return TryBool(untrustedText) ?? throw QubesErrors.Value(
            $"Invalid literal for boolean property: {PythonText.Repr(untrustedText)}");
    }

    /// <summary>As <see cref="ToBool"/>, null for anything else.</summary>
    public static bool? TryBool(string untrustedText)
    {
        ArgumentNullException.ThrowIfNull(untrustedText);
        return untrustedText.Length > 5 ? null : untrustedText.ToLowerInvariant() switch
        {
            "0" or "no" or "false" or "off" => false,
            "1" or "yes" or "true" or "on" => true,
            _ => null,
        };
    }

    /// <summary>
    /// An integer in Python's syntax: blanks around, a sign, and single <c>_</c> between digits are fine.
    /// Values outside of 64 bits are refused.
    /// </summary>
    public static long ToInteger(string untrustedText)
    {
        ArgumentNullException.ThrowIfNull(untrustedText);
        return TryInteger(untrustedText, out long value)
            ? value
            : throw QubesErrors.Value("Failed to parse property value as int");
    }

    public static bool TryInteger(string untrustedText, out long value)
    {
        ArgumentNullException.ThrowIfNull(untrustedText);
        value = 0;
        ReadOnlySpan<char> text = untrustedText.AsSpan().Trim(" \t\n\r\v\f\x1c\x1d\x1e\x1f");
        ReadOnlySpan<char> digits = text is ['+' or '-', .. ReadOnlySpan<char> rest] ? rest : text;
        if (digits.IsEmpty || digits.Length > 64 || digits[0] == '_' || digits[^1] == '_'
            || digits.Contains("__", StringComparison.Ordinal))
        {
            return false;
        }

        Span<char> plain = stackalloc char[digits.Length + 1];
        int length = 0;
        plain[length++] = text[0] == '-' ? '-' : '+';
        foreach (char c in digits)
        {
            if (char.IsAsciiDigit(c))
            {
                plain[length++] = c;
            }
            else if (c != '_')
            {
                return false;
            }
        }

        return long.TryParse(plain[..length], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>An IPv4 address of four decimal octets without leading zeros.</summary>
    public static IPAddress ToIPv4(string untrustedText) => TryIPv4(untrustedText, out IPAddress? address)
        ? address
        : throw QubesErrors.Value("Failed to parse property value as IPv4Address");

    public static bool TryIPv4(string untrustedText, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IPAddress? address)
    {
        ArgumentNullException.ThrowIfNull(untrustedText);
        address = null;
        Span<Range> parts = stackalloc Range[5];
        ReadOnlySpan<char> text = untrustedText;
        if (text.Length > 15 || text.Split(parts, '.') != 4)
        {
            return false;
        }

        Span<byte> octets = stackalloc byte[4];
        for (int i = 0; i < 4; i++)
        {
            ReadOnlySpan<char> part = text[parts[i]];
            // Parsing alone would take zero characters after the digits for nothing.
            if (part is [] or ['0', _, ..] || part.ContainsAnyExceptInRange('0', '9') || !byte.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out octets[i]))
            {
                return false;
            }
        }

        address = new IPAddress(octets);
        return true;
    }

    /// <summary>An IPv6 address; its scope, if given, is refused.</summary>
    public static IPAddress ToIPv6(string untrustedText) => TryIPv6(untrustedText, out IPAddress? address)
        ? address
        : throw QubesErrors.Value("Failed to parse property value as IPv6Address");

    public static bool TryIPv6(string untrustedText, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IPAddress? address)
    {
        ArgumentNullException.ThrowIfNull(untrustedText);
        address = null;
        return untrustedText.Length <= 45
            && untrustedText.Contains(':')
            && !untrustedText.AsSpan().ContainsAnyExcept(NameCharacters.IPv6)
            && IPAddress.TryParse(untrustedText, out address)
            && address.AddressFamily == AddressFamily.InterNetworkV6;
    }

    public static QubeUuid ToUuid(string untrustedText) => QubeUuid.TryParseLenient(untrustedText, out QubeUuid uuid)
        ? uuid
        : throw QubesErrors.Value("Failed to parse property value as UUID");

    /// <summary>
    /// A text: printable ASCII, tab, line feed and carriage return. Vertical tab and form feed, which count as printable
    /// elsewhere, are refused: the store cannot hold them.
    /// </summary>
    public static string ToText(ReadOnlySpan<byte> untrustedPayload)
    {
        string text = ToAscii(untrustedPayload);
        return untrustedPayload.ContainsAnyExcept(PrintableAscii)
            ? throw QubesErrors.Value("Invalid characters in property value")
            : text;
    }

    /// <summary>A reference to a qube: empty for none (null), else a valid name.</summary>
    public static QubeName? ToQubeName(ReadOnlySpan<byte> untrustedPayload) =>
        untrustedPayload.IsEmpty ? null : QubeName.Parse(ToAscii(untrustedPayload));
}
