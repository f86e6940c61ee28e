namespace Qubes.Protocol.Firewall;

/// <summary>The protocol a rule is limited to.</summary>
public enum FirewallProtocol
{
    Tcp,
    Udp,

    /// <summary>In the rules for IPv6 it means ICMPv6.</summary>
    Icmp,
}
