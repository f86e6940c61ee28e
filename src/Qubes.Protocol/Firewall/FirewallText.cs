using System.Buffers;
using System.Globalization;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Text;

namespace Qubes.Protocol.Firewall;

/// <summary>The words of rules: from text to value and back. All refusals are <c>QubesValueError</c>.</summary>
public static class FirewallText
{
    // The last second of the year 9999: what calendars of clients reach.
    private const long LastSecond = 253_402_300_799;

    private static readonly SearchValues<char> CommentCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:;,./-_[] ");

    public static string Of(FirewallAction action) => action == FirewallAction.Accept ? "accept" : "drop";

    public static string Of(FirewallProtocol protocol) => protocol switch
    {
        FirewallProtocol.Tcp => "tcp",
        FirewallProtocol.Udp => "udp",
        _ => "icmp",
    };

    public static string KeyOf(FirewallHostKind kind) => kind switch
    {
        FirewallHostKind.IPv4 => "dst4",
        FirewallHostKind.IPv6 => "dst6",
        _ => "dsthost",
    };

    public static FirewallAction ParseAction(string untrustedText) => untrustedText switch
    {
        "accept" => FirewallAction.Accept,
        "drop" => FirewallAction.Drop,
        _ => throw QubesErrors.Value($"Invalid action: {PythonText.Repr(untrustedText)}"),
    };

    public static FirewallProtocol ParseProtocol(string untrustedText) => untrustedText switch
    {
        "tcp" => FirewallProtocol.Tcp,
        "udp" => FirewallProtocol.Udp,
        "icmp" => FirewallProtocol.Icmp,
        _ => throw QubesErrors.Value($"Invalid protocol: {PythonText.Repr(untrustedText)}"),
    };

    /// <summary>True: the rule is for the name servers, the only special target there is.</summary>
    public static bool ParseSpecialTarget(string untrustedText) => untrustedText == "dns"
        ? true
        : throw QubesErrors.Value($"Invalid special target: {PythonText.Repr(untrustedText)}");

    /// <summary>One to three digits, up to 255.</summary>
    public static byte ParseIcmpType(string untrustedText) =>
        untrustedText is { Length: <= 3 } && byte.TryParse(untrustedText, NumberStyles.None, CultureInfo.InvariantCulture, out byte type)
            ? type
            : throw QubesErrors.Value($"Invalid ICMP type: {PythonText.Repr(untrustedText)}");

    /// <summary>Seconds since 1970, digits only.</summary>
    public static long ParseExpire(string untrustedText) =>
        long.TryParse(untrustedText, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) && seconds <= LastSecond
            ? seconds
            : throw QubesErrors.Value($"Invalid time of expiry: {PythonText.Repr(untrustedText)}");

    /// <summary>Null for an empty one.</summary>
    public static string? ParseComment(string untrustedText)
    {
        ArgumentNullException.ThrowIfNull(untrustedText);
        if (untrustedText.AsSpan().ContainsAnyExcept(CommentCharacters))
        {
            throw QubesErrors.Value("Rule comment contains illegal characters");
        }

        return untrustedText.Length == 0 ? null : untrustedText;
    }
}
