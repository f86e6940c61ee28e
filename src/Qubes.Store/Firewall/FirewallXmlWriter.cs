using System.Globalization;
using Qubes.Protocol.Firewall;
using Qubes.Store.Format;

namespace Qubes.Store.Firewall;

/// <summary>Writes rules in the form <see cref="FirewallXmlReader"/> shows, version 2.</summary>
public static class FirewallXmlWriter
{
    public static ReadOnlySpan<byte> Write(IReadOnlyList<FirewallRule> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        XmlOutput xml = new();
        xml.Raw("<firewall version=\"2\">\n"u8);
        xml.Raw(rules.Count == 0 ? "  <rules/>\n"u8 : "  <rules>\n"u8);
        foreach (FirewallRule rule in rules)
        {
            xml.Raw("    <rule>\n      <properties>\n"u8);
            WriteRule(xml, rule);
            xml.Raw("      </properties>\n    </rule>\n"u8);
        }

        xml.Raw(rules.Count == 0 ? ""u8 : "  </rules>\n"u8).Raw("</firewall>\n"u8);
        return xml.Written;
    }

    private static void WriteRule(XmlOutput xml, FirewallRule rule)
    {
        Property(xml, "action", FirewallText.Of(rule.Action));
        Property(xml, "comment", rule.Comment);
        Property(xml, "expire", rule.Expire?.ToString(CultureInfo.InvariantCulture));
        Property(xml, "dsthost", rule.Host?.Text);
        Property(xml, "proto", rule.Protocol is { } protocol ? FirewallText.Of(protocol) : null);
        Property(xml, "specialtarget", rule.IsForDns ? "dns" : null);
        Property(xml, "dstports", rule.Ports?.StoreText);
        Property(xml, "icmptype", rule.IcmpType?.ToString(CultureInfo.InvariantCulture));
    }

    private static void Property(XmlOutput xml, string name, string? value)
    {
        if (value is not null)
        {
            xml.NamedLine(4, "property"u8, name, value);
        }
    }
}
