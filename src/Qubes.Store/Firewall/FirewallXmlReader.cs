using System.Xml;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Firewall;

namespace Qubes.Store.Firewall;

/// <summary>
/// Reads the text of <c>firewall.xml</c>. Anything it does not know makes the whole text unreadable: a rule half understood could let
/// through what its author wanted stopped.
/// <code>
/// &lt;firewall version="2"&gt;
///   &lt;rules&gt;
///     &lt;rule&gt;
///       &lt;properties&gt;
///         &lt;property name="KEY"&gt;VALUE&lt;/property&gt;*
/// </code>
/// Without the attribute <c>version</c> it is version 1, see <see cref="FirewallXmlVersion1"/>.
/// </summary>
public static class FirewallXmlReader
{
    private const long MaxCharacters = 16 << 20;

    /// <exception cref="QubesException"><c>QubesVMError</c>: not a firewall file, or not one of a known version.</exception>
    public static IReadOnlyList<FirewallRule> Read(ReadOnlyMemory<byte> content)
    {
        try
        {
            using MemoryStream stream = new(content.ToArray(), writable: false);
            using XmlReader reader = XmlReader.Create(stream, new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit,
                XmlResolver = null,
                IgnoreComments = true,
                IgnoreProcessingInstructions = true,
                IgnoreWhitespace = true,
                MaxCharactersInDocument = MaxCharacters,
            });
            reader.MoveToContent();
            string? version = reader.GetAttribute("version");
            List<FirewallRule> rules = version switch
            {
                null => FirewallXmlVersion1.Read(reader),
                "2" => ReadVersion2(reader),
                _ => throw QubesErrors.VM($"Unsupported firewall.xml version: {version}"),
            };

            // Whatever follows the root must be well-formed too.
            while (reader.Read())
            {
            }

            return rules.Count <= FirewallRuleParser.MaxRules
                ? rules
                : throw QubesErrors.Value($"more than {FirewallRuleParser.MaxRules} rules");
        }
        catch (XmlException e)
        {
            throw Unreadable(e);
        }
        catch (QubesException e) when (e.WireName == QubesErrorNames.Value)
        {
            throw Unreadable(e);
        }
    }

    private static QubesException Unreadable(Exception reason) =>
        new(QubesErrorNames.VMError, $"firewall.xml cannot be understood: {reason.Message}", reason);

    private static List<FirewallRule> ReadVersion2(XmlReader reader)
    {
        List<FirewallRule> rules = [];
        ForEachChild(reader, "rules", () => ForEachChild(reader, "rule", () =>
        {
            FirewallRuleBuilder rule = new();
            ForEachChild(reader, "properties", () => ForEachChild(reader, "property", () =>
            {
                string name = reader.GetAttribute("name") ?? "";
                rule.Set(name, reader.ReadElementContentAsString());
            }));
            rules.Add(rule.Build());
        }));
        return rules;
    }

    /// <summary>Enters the element the reader is at; <paramref name="read"/> consumes each child, all of which must have one name.</summary>
    private static void ForEachChild(XmlReader reader, string name, Action read)
    {
        bool isEmpty = reader.IsEmptyElement;
        reader.Read();
        if (isEmpty)
        {
            return;
        }

        while (reader.NodeType != XmlNodeType.EndElement)
        {
            if (reader.NodeType != XmlNodeType.Element || reader.LocalName != name)
            {
                throw QubesErrors.Value($"expected <{name}>, found {reader.NodeType} {reader.LocalName}");
            }

            read();
        }

        reader.ReadEndElement();
    }
}
