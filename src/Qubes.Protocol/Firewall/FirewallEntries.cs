using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Qubes.Protocol.Firewall;

/// <summary>
/// The rules of one address as they stand in the QubesDB of its netvm:
/// <code>
/// /qubes-firewall/ADDRESS/policy   drop
/// /qubes-firewall/ADDRESS/NNNN     a rule; NNNN is its place in the whole list, so numbers may be missing
/// /qubes-firewall/ADDRESS          empty, written last: the guest takes the rules over when this one changes
/// </code>
/// </summary>
public static class FirewallEntries
{
    /// <summary>Removed first, with everything below it.</summary>
    public static string SubtreeOf(IPAddress address) => BaseOf(address) + "/";

    /// <summary>
    /// What is to be written, in this order. Expired rules, and those for addresses of the other family, are left out.
    /// </summary>
    public static IEnumerable<KeyValuePair<string, string>> For(IPAddress address, IReadOnlyList<FirewallRule> rules, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(rules);
        FirewallHostKind other = address.AddressFamily == AddressFamily.InterNetwork ? FirewallHostKind.IPv6 : FirewallHostKind.IPv4;
        yield return new(SubtreeOf(address) + "policy", "drop");
        for (int i = 0; i < Math.Min(rules.Count, FirewallRuleParser.MaxRules); i++)
        {
            FirewallRule rule = rules[i];
            if (rule.Host?.Kind != other && !rule.IsExpired(now))
            {
                yield return new(SubtreeOf(address) + i.ToString("d4", CultureInfo.InvariantCulture), rule.QubesDbText);
            }
        }

        yield return new(BaseOf(address), "");
    }

    private static string BaseOf(IPAddress address) => "/qubes-firewall/" + address;
}
