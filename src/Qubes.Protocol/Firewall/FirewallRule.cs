using System.Globalization;
using System.Text;
using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Firewall;

/// <summary>One rule of a qube's firewall. The first rule that matches a connection decides; none matching, it is dropped.</summary>
public sealed record FirewallRule
{
    /// <summary>What a qube without rules of its own has: everything is accepted.</summary>
    public static FirewallRule AcceptAll { get; } = new() { Action = FirewallAction.Accept };

    public required FirewallAction Action { get; init; }

    /// <summary>Null: any.</summary>
    public FirewallHost? Host { get; init; }

    /// <summary>Null: any.</summary>
    public FirewallProtocol? Protocol { get; init; }

    /// <summary>The name servers the qube is told to use, whatever they are.</summary>
    public bool IsForDns { get; init; }

    /// <summary>Null: any. Only with TCP or UDP.</summary>
    public FirewallPorts? Ports { get; init; }

    /// <summary>Null: any. Only with ICMP.</summary>
    public byte? IcmpType { get; init; }

    /// <summary>Seconds since 1970 from which on the rule does not exist any more; null: it stays.</summary>
    public long? Expire { get; init; }

    /// <summary>Null, or not empty.</summary>
    public string? Comment { get; init; }

    public bool IsExpired(DateTimeOffset now) => Expire is { } expire && now.ToUnixTimeSeconds() >= expire;

    /// <summary>The rule for people and API clients, with expiry and comment.</summary>
    public string ApiText => Format(forGuest: false);

    /// <summary>The rule for the guest that carries it out: without expiry and comment.</summary>
    public string QubesDbText => Format(forGuest: true);

    public override string ToString() => ApiText;

    /// <summary>Checks what depends on more than one option.</summary>
    /// <exception cref="QubesException">They do not go together.</exception>
    internal FirewallRule Verified()
    {
        if (Ports is not null && Protocol is not (FirewallProtocol.Tcp or FirewallProtocol.Udp))
        {
            throw QubesErrors.Value("dstports valid only for 'tcp' and 'udp' protocols");
        }

        return IcmpType is not null && Protocol != FirewallProtocol.Icmp
            ? throw QubesErrors.Value("icmptype valid only for 'icmp' protocol")
            : this;
    }

    // action [expire] [dst4|dst6|dsthost] [proto] [specialtarget] [dstports] [icmptype] [comment], one blank between
    private string Format(bool forGuest)
    {
        StringBuilder text = new("action=");
        text.Append(FirewallText.Of(Action));
        if (!forGuest && Expire is { } expire)
        {
            text.Append(CultureInfo.InvariantCulture, $" expire={expire}");
        }

        if (Host is { } host)
        {
            text.Append(' ').Append(FirewallText.KeyOf(host.Kind)).Append('=').Append(host.Text);
        }

        if (Protocol is { } protocol)
        {
            text.Append(" proto=").Append(FirewallText.Of(protocol));
        }

        if (IsForDns)
        {
            text.Append(" specialtarget=dns");
        }

        if (Ports is { } ports)
        {
            text.Append(" dstports=").Append(ports.ToString());
        }

        if (IcmpType is { } type)
        {
            text.Append(CultureInfo.InvariantCulture, $" icmptype={type}");
        }

        if (!forGuest && Comment is { } comment)
        {
            text.Append(" comment=").Append(comment);
        }

        return text.ToString();
    }
}
