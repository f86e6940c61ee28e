using System.Globalization;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Properties;
using Qubes.Protocol.Text;

namespace Qubes.Protocol.Firewall;

/// <summary>A range of ports, both ends in it.</summary>
public readonly record struct FirewallPorts
{
    private const int Highest = 65535;

    private FirewallPorts(int first, int last)
    {
        First = first;
        Last = last;
    }

    public int First { get; }

    public int Last { get; }

    /// <summary>How <c>firewall.xml</c> has it: <c>80</c> or <c>80-90</c>.</summary>
    public string StoreText => First == Last ? First.ToString(CultureInfo.InvariantCulture) : ToString();

    /// <summary>Reads <c>N</c> or <c>N-M</c>. Numbers are in Python's syntax, as clients may send <c>+80</c>.</summary>
    public static FirewallPorts Parse(string untrustedText)
    {
        ArgumentNullException.ThrowIfNull(untrustedText);
        int dash = untrustedText.IndexOf('-', StringComparison.Ordinal);
        string first = dash < 0 ? untrustedText : untrustedText[..dash];
        string last = dash < 0 ? untrustedText : untrustedText[(dash + 1)..];
        if (!PropertyPayload.TryInteger(first, out long low) || !PropertyPayload.TryInteger(last, out long high))
        {
            throw QubesErrors.Value($"Invalid port or range of ports: {PythonText.Repr(untrustedText)}");
        }

        if (low is < 0 or > Highest || high is < 0 or > Highest)
        {
            throw QubesErrors.Value("Ports out of range");
        }

        return low <= high ? new FirewallPorts((int)low, (int)high) : throw QubesErrors.Value("Invalid port range");
    }

    /// <summary>How rules print it: always a range, <c>80-80</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{First}-{Last}");
}
