using Qubes.Protocol.Errors;
using Qubes.Protocol.Firewall;

namespace Qubes.Fuzz.Targets;

/// <summary>Firewall rules from callers: taken or refused, and what was taken prints as itself.</summary>
internal sealed class FirewallRuleTarget : IFuzzTarget
{
    public string Name => "firewall-rule";

    public IEnumerable<byte[]> Seeds =>
    [
        "action=drop proto=tcp dstports=80\naction=accept dst4=10.0.0.5/8 comment=a b\n"u8.ToArray(),
        "icmptype=8 proto=icmp action=accept\r\naction=accept specialtarget=dns dsthost=1.2.3.4"u8.ToArray(),
        "action=accept expire=99999999999 dst6=fd09::1/64 proto=udp dstports=1-65535"u8.ToArray(),
        "dstname=www.example.com action=accept comment=[x],.;/_-:"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        IReadOnlyList<FirewallRule> rules;
        try
        {
            rules = FirewallRuleParser.ParsePayload(input);
        }
        catch (QubesException)
        {
            return;
        }

        foreach (FirewallRule rule in rules)
        {
            if (FirewallRuleParser.Parse(rule.ApiText) != rule || rule.ApiText.AsSpan().ContainsAnyExceptInRange(' ', '~')
                || rule.QubesDbText.Length > 3071)
            {
                throw new InvalidOperationException("a rule does not survive printing");
            }
        }
    }
}
