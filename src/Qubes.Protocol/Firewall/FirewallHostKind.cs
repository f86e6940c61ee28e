namespace Qubes.Protocol.Firewall;

/// <summary>How a rule names its destination.</summary>
public enum FirewallHostKind
{
    /// <summary>A network of IPv4 addresses; printed as <c>dst4=</c>.</summary>
    IPv4,

    /// <summary>A network of IPv6 addresses; printed as <c>dst6=</c>.</summary>
    IPv6,

    /// <summary>A name, resolved where the rule is applied, for both families; printed as <c>dsthost=</c>.</summary>
    Name,
}
