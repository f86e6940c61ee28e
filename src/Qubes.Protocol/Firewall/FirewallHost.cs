using System.Buffers;
using System.Globalization;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Properties;
using Qubes.Protocol.Text;

namespace Qubes.Protocol.Firewall;

/// <summary>
/// The destination of a rule: a network, whose text is kept as it was written (host bits included), or a host name. An address
/// alone is a network of one.
/// </summary>
public readonly record struct FirewallHost
{
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-._");

    // What DNS allows; longer ones would not fit the guest's database either.
    private const int LongestName = 253;

    // More than enough for the leading zeros clients may send.
    private const int MostLengthDigits = 9;

    private readonly string? _text;

    private FirewallHost(FirewallHostKind kind, string text)
    {
        Kind = kind;
        _text = text;
    }

    public FirewallHostKind Kind { get; }

    /// <summary><c>ADDRESS/LENGTH</c>, or the name, which may be empty.</summary>
    public string Text => _text ?? "";

    /// <summary>The kind is seen from the text alone: <c>1.2.3</c> is a name, <c>1.2.3.4</c> an address.</summary>
    public static FirewallHost Parse(string untrustedText)
    {
        ArgumentNullException.ThrowIfNull(untrustedText);
        int slash = untrustedText.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0)
        {
            return ParseNetwork(untrustedText, slash);
        }

        if (PropertyPayload.TryIPv6(untrustedText, out _))
        {
            return new FirewallHost(FirewallHostKind.IPv6, untrustedText + "/128");
        }

        if (PropertyPayload.TryIPv4(untrustedText, out _))
        {
            return new FirewallHost(FirewallHostKind.IPv4, untrustedText + "/32");
        }

        return untrustedText.Length > LongestName || untrustedText.AsSpan().ContainsAnyExcept(NameCharacters)
            ? throw QubesErrors.Value($"Invalid hostname: {PythonText.Repr(untrustedText)}")
            : new FirewallHost(FirewallHostKind.Name, untrustedText);
    }

    public override string ToString() => Text;

    private static FirewallHost ParseNetwork(string untrustedText, int slash)
    {
        string address = untrustedText[..slash];
        string length = untrustedText[(slash + 1)..];
        bool is6 = PropertyPayload.TryIPv6(address, out _);
        if (!is6 && !PropertyPayload.TryIPv4(address, out _))
        {
            throw QubesErrors.Value($"Invalid IP address: {PythonText.Repr(address)}");
        }

        return length.Length <= MostLengthDigits
            && int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out int bits) && bits <= (is6 ? 128 : 32)
            ? new FirewallHost(is6 ? FirewallHostKind.IPv6 : FirewallHostKind.IPv4, untrustedText)
            : throw QubesErrors.Value($"Invalid network prefix length: {PythonText.Repr(length)}");
    }
}
