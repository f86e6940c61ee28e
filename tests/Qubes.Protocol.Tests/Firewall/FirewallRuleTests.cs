using System.Net;
using System.Text;
using CsCheck;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Firewall;

namespace Qubes.Protocol.Tests.Firewall;

public sealed class FirewallRuleTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    private static readonly Gen<FirewallHost> Hosts = Gen.OneOf(
        Gen.Select(Gen.Byte, Gen.Byte, Gen.Int[0, 32]).Select(t => $"10.{t.Item1}.{t.Item2}.1/{t.Item3}"),
        Gen.Int[0, 128].Select(l => $"fd09:24ef::a89:5/{l}"),
        Gen.Char["abcxyz0129-._"].Array[1, 20].Select(c => new string(c))).Select(FirewallHost.Parse);

    private static readonly Gen<FirewallRule> Rules = Gen.Select(
        Gen.Bool,
        Hosts.Nullable(),
        Gen.Int[0, 3],
        Gen.Int[0, 65535],
        Gen.Bool,
        Gen.Long[0, 200_000_000_000].Nullable(),
        Gen.Char["abcXYZ 09:;,./-_[]"].Array[0, 30].Select(c => new string(c)),
        (accept, host, protocol, port, isNarrow, expire, comment) => new FirewallRule
        {
            Action = accept ? FirewallAction.Accept : FirewallAction.Drop,
            Host = host,
            Protocol = protocol == 3 ? null : (FirewallProtocol)protocol,
            Ports = isNarrow && protocol < 2 ? FirewallPorts.Parse($"{port}-65535") : null,
            IcmpType = isNarrow && protocol == 2 ? (byte)port : null,
            IsForDns = isNarrow && protocol == 3,
            Expire = expire,
            Comment = comment.Length == 0 ? null : comment,
        });

    [Fact]
    public void A_rule_survives_printing_and_reading() =>
        Rules.Sample(rule => Assert.Equal(rule, FirewallRuleParser.Parse(rule.ApiText)));

    [Fact]
    public void Any_text_is_taken_or_refused_with_an_error_of_the_api() => Gen.Char[" =-/,\tactiondsprhomexe[0]&ä"].Array[0, 60].Sample(characters =>
    {
        try
        {
            FirewallRule rule = FirewallRuleParser.Parse("action=drop " + new string(characters));
            Assert.Equal(rule, FirewallRuleParser.Parse(rule.ApiText));
        }
        catch (QubesException e)
        {
            Assert.Equal(QubesErrorNames.Value, e.WireName);
        }
    });

    [Theory]
    [InlineData("action=drop proto=tcp dstports=80", "action=drop proto=tcp dstports=80-80")]
    [InlineData("action=accept dst4=10.0.0.5/8 comment=a b", "action=accept dst4=10.0.0.5/8 comment=a b")]
    [InlineData("icmptype=8 proto=icmp action=accept", "action=accept proto=icmp icmptype=8")]
    [InlineData("action=accept specialtarget=dns dsthost=1.2.3.4", "action=accept dst4=1.2.3.4/32 specialtarget=dns")]
    [InlineData("action=accept expire=99999999999", "action=accept expire=99999999999")]
    [InlineData("action=accept proto=tcp dstports=+80", "action=accept proto=tcp dstports=80-80")]
    [InlineData("action=accept proto=udp dstports=8_0", "action=accept proto=udp dstports=80-80")]
    [InlineData("action=accept dsthost=", "action=accept dsthost=")]
    [InlineData("action=accept dst4=example.com", "action=accept dsthost=example.com")]
    [InlineData("action=accept dsthost=::1", "action=accept dst6=::1/128")]
    [InlineData("action=accept dst6=1.2.3.4", "action=accept dst4=1.2.3.4/32")]
    [InlineData("action=accept dst4=1.2.3", "action=accept dsthost=1.2.3")]
    [InlineData("action=accept dstname=fd00::/08", "action=accept dst6=fd00::/08")]
    [InlineData("action=accept proto=tcp dstports=1-65535", "action=accept proto=tcp dstports=1-65535")]
    [InlineData("action=accept comment=", "action=accept")]
    [InlineData("\taction=accept ", "action=accept")]
    [InlineData("comment=x action=accept", null)]
    [InlineData("action=accept  proto=tcp", null)]
    [InlineData("", null)]
    [InlineData(" ", null)]
    [InlineData("action", null)]
    [InlineData("proto=tcp", null)]
    [InlineData("action=Accept", null)]
    [InlineData("action=accept action=accept", null)]
    [InlineData("action=accept dst4=1.2.3.4 dst6=::1", null)]
    [InlineData("action=accept comment=a comment=b", null)]
    [InlineData("action=accept comment=a&b", null)]
    [InlineData("action=accept color=red", null)]
    [InlineData("action=accept proto=sctp", null)]
    [InlineData("action=accept dstports=80", null)]
    [InlineData("action=accept proto=icmp dstports=80", null)]
    [InlineData("action=accept proto=tcp dstports=90-80", null)]
    [InlineData("action=accept proto=tcp dstports=65536", null)]
    [InlineData("action=accept proto=tcp dstports=-80", null)]
    [InlineData("action=accept proto=tcp dstports=1-2-3", null)]
    [InlineData("action=accept proto=tcp icmptype=8", null)]
    [InlineData("action=accept proto=icmp icmptype=256", null)]
    [InlineData("action=accept proto=icmp icmptype=0008", null)]
    [InlineData("action=accept specialtarget=ntp", null)]
    [InlineData("action=accept expire=-1", null)]
    [InlineData("action=accept expire=9999999999999999999", null)]
    [InlineData("action=accept dst4=1.2.3.4/33", null)]
    [InlineData("action=accept dst6=::1/129", null)]
    [InlineData("action=accept dsthost=example.com/24", null)]
    [InlineData("action=accept dsthost=Example.com", null)]
    [InlineData("action=accept dsthost=a`b", null)]
    [InlineData("action=accept dsthost=1.2.3.4\0", null)]
    [InlineData("action=accept proto=icmp icmptype=8\0", null)]
    [InlineData("action=accept expire=8\0", null)]
    [InlineData("action=accept dst4=1.2.3.4/8\0", null)]
    public void Rules_are_read_and_printed_as_clients_know_them(string line, string? printed)
    {
        if (printed is null)
        {
            Assert.Equal(QubesErrorNames.Value, Assert.Throws<QubesException>(() => FirewallRuleParser.Parse(line)).WireName);
        }
        else
        {
            Assert.Equal(printed, FirewallRuleParser.Parse(line).ApiText);
        }
    }

    [Fact]
    public void A_payload_is_one_rule_a_line()
    {
        Assert.Equal(
            ["action=drop", "action=accept comment=x", "action=drop proto=tcp"],
            FirewallRuleParser.ParsePayload("action=drop\r\naction=accept comment=x\vaction=drop proto=tcp"u8).Select(r => r.ApiText));
        Assert.Throws<QubesException>(() => FirewallRuleParser.ParsePayload("action=drop\n\naction=drop\n"u8));
        ProtocolErrorException error = Assert.Throws<ProtocolErrorException>(() => FirewallRuleParser.ParsePayload(Encoding.UTF8.GetBytes("action=drop comment=ä")));
        Assert.Equal("Rules contains non-ASCII characters", error.Message);
    }

    [Fact]
    public void A_host_name_is_not_longer_than_dns_allows()
    {
        Assert.Equal(253, FirewallHost.Parse(new string('a', 253)).Text.Length);
        Assert.Throws<QubesException>(() => FirewallHost.Parse(new string('a', 254)));
    }

    [Fact]
    public void A_rule_expires_at_its_second()
    {
        FirewallRule rule = FirewallRuleParser.Parse("action=drop expire=1800000000");
        Assert.False(rule.IsExpired(Now.AddMilliseconds(-1)));
        Assert.True(rule.IsExpired(Now));
        Assert.False(FirewallRule.AcceptAll.IsExpired(DateTimeOffset.MaxValue));
    }

    [Fact]
    public void The_netvm_gets_the_rules_of_an_address_with_the_signal_last()
    {
        FirewallRule[] rules =
        [
            FirewallRuleParser.Parse("action=accept dst4=1.2.3.4 comment=x"),
            FirewallRuleParser.Parse("action=accept dst6=::1"),
            FirewallRuleParser.Parse("action=accept expire=1 dsthost=old"),
            FirewallRuleParser.Parse("action=accept expire=1800000001 dsthost=www.example.com proto=tcp dstports=443"),
        ];
        Assert.Equal(
            [
                "/qubes-firewall/10.137.0.5/policy=drop", "/qubes-firewall/10.137.0.5/0000=action=accept dst4=1.2.3.4/32",
                "/qubes-firewall/10.137.0.5/0003=action=accept dsthost=www.example.com proto=tcp dstports=443-443", "/qubes-firewall/10.137.0.5=",
            ],
            FirewallEntries.For(IPAddress.Parse("10.137.0.5"), rules, Now).Select(e => $"{e.Key}={e.Value}"));
        Assert.Equal(
            [
                "/qubes-firewall/fd09:24ef:4179::a89:5/policy", "/qubes-firewall/fd09:24ef:4179::a89:5/0001",
                "/qubes-firewall/fd09:24ef:4179::a89:5/0003", "/qubes-firewall/fd09:24ef:4179::a89:5",
            ],
            FirewallEntries.For(IPAddress.Parse("fd09:24ef:4179::a89:5"), rules, Now).Select(e => e.Key));
    }
}
