using Qubes.Protocol.Errors;
using Qubes.Protocol.Firewall;
using Qubes.Store.Firewall;

namespace Qubes.Fuzz.Targets;

/// <summary>Files of firewall rules, of both versions: understood or called damaged, and what was understood is written as itself.</summary>
internal sealed class FirewallXmlTarget : IFuzzTarget
{
    public string Name => "firewall-xml";

    public IEnumerable<byte[]> Seeds =>
    [
        """
        <firewall version="2"><rules><rule><properties><property name="action">accept</property><property name="comment">hello</property>
        <property name="dsthost">1.2.3.4/32</property><property name="proto">tcp</property><property name="dstports">80</property>
        </properties></rule></rules></firewall>
        """u8.ToArray(),
        """
        <QubesFirewallRules policy="deny" dns="allow" icmp="deny"><rule address="192.168.0.0" netmask="24" proto="tcp" port="80" toport="90"/>
        <rule address="example.com" port="443" expire="99999999999"/></QubesFirewallRules>
        """u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        IReadOnlyList<FirewallRule> rules;
        try
        {
            rules = FirewallXmlReader.Read(input.ToArray());
        }
        catch (QubesException)
        {
            return;
        }

        if (!FirewallXmlReader.Read(FirewallXmlWriter.Write(rules).ToArray()).SequenceEqual(rules))
        {
            throw new InvalidOperationException("rules do not survive their file");
        }
    }
}
