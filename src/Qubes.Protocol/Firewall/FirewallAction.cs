namespace Qubes.Protocol.Firewall;

/// <summary>What becomes of a matching connection.</summary>
public enum FirewallAction
{
    Accept,
    Drop,
}
