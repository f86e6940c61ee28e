using System.Globalization;
using System.Net;
using System.Xml;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Firewall;
using Qubes.Protocol.Properties;

namespace Qubes.Store.Firewall;

/// <summary>
/// Takes over rules of the time before versions:
/// <code>
/// &lt;firewall policy="allow|deny" [dns="allow|deny"] [icmp="allow|deny"]&gt;
///   &lt;rule address="A" [netmask="LENGTH"] [proto="tcp|udp|icmp|any"] [port="N" [toport="M"]] [expire="T"]/&gt;*
/// </code>
/// The rules are the exceptions from the policy; DNS and ICMP follow the policy unless they say otherwise.
/// </summary>
internal static class FirewallXmlVersion1
{
    public static List<FirewallRule> Read(XmlReader reader)
    {
        string policy = reader.GetAttribute("policy") ?? throw QubesErrors.Value("neither a version nor a policy");
        FirewallAction byDefault = Action(policy);
        List<FirewallRule> rules =
        [
            new() { Action = Action(reader.GetAttribute("dns") ?? policy), IsForDns = true },
            new() { Action = Action(reader.GetAttribute("icmp") ?? policy), Protocol = FirewallProtocol.Icmp },
        ];
        FirewallAction exception = byDefault == FirewallAction.Accept ? FirewallAction.Drop : FirewallAction.Accept;
        int depth = reader.Depth;
        while (reader.Read() && reader.Depth > depth)
        {
            if (reader.NodeType == XmlNodeType.Element)
            {
                rules.Add(ReadRule(reader, exception));
            }
        }

        if (byDefault == FirewallAction.Accept)
        {
            rules.Add(FirewallRule.AcceptAll);
        }

        return rules;
    }

    private static FirewallAction Action(string text) => text switch
    {
        "allow" => FirewallAction.Accept,
        "deny" => FirewallAction.Drop,
        _ => throw QubesErrors.Value($"unknown policy '{text}'"),
    };

    private static FirewallRule ReadRule(XmlReader reader, FirewallAction action)
    {
        FirewallRuleBuilder rule = new();
        rule.Set("action", FirewallText.Of(action));
        string? port = reader.GetAttribute("port");
        string? protocol = reader.GetAttribute("proto") ?? (port is null ? null : "tcp");
        if (reader.GetAttribute("address") is { } address)
        {
            rule.Set("dsthost", Host(address, reader.GetAttribute("netmask")));
        }

        if (protocol is not null and not "any")
        {
            rule.Set("proto", protocol);
        }

        if (port is not null)
        {
            rule.Set("dstports", reader.GetAttribute("toport") is { } last ? $"{port}-{last}" : port);
        }

        if (reader.GetAttribute("expire") is { } expire)
        {
            rule.Set("expire", expire);
        }

        return rule.Build();
    }

    // Names had no case then.
    private static string Host(string address, string? netmask)
    {
        if (!PropertyPayload.TryIPv4(address, out IPAddress? _))
        {
            return address.ToLowerInvariant();
        }

        int length = netmask is null ? 32
            : int.TryParse(netmask, NumberStyles.None, CultureInfo.InvariantCulture, out int bits) ? bits
            : throw QubesErrors.Value($"invalid netmask '{netmask}'");
        return string.Create(CultureInfo.InvariantCulture, $"{address}/{(length == 0 ? 32 : length)}");
    }
}
