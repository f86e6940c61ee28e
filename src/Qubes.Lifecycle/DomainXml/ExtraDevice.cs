using System.Collections.Frozen;
using System.Xml;
using System.Xml.Linq;

namespace Qubes.Lifecycle.DomainXml;

/// <summary>
/// A device of a domain that somebody else describes. Only kinds that this daemon neither makes itself nor looks for: so its own view of the
/// domain (disks, host devices, ports, channels, consoles) stays the whole truth.
/// </summary>
public sealed record ExtraDevice
{
    public const int MaxLength = 4096;

    private static readonly FrozenSet<string> Kinds = new[]
    {
        "audio", "filesystem", "graphics", "input", "panic", "parallel", "shmem", "smartcard", "sound", "tpm", "video", "vsock", "watchdog",
    }.ToFrozenSet(StringComparer.Ordinal);

    private ExtraDevice(string xml) => Xml = xml;

    /// <summary>The element, always written the same way.</summary>
    public string Xml { get; }

    /// <exception cref="DomainXmlException">It is not one element of such a kind.</exception>
    public static ExtraDevice Parse(string untrustedXml)
    {
        if (untrustedXml.Length > MaxLength)
        {
            throw new DomainXmlException($"the description of a device is longer than {MaxLength} characters");
        }

        XElement element;
        try
        {
            element = DomainXmlReader.Root(untrustedXml);
        }
        catch (XmlException e)
        {
            throw new DomainXmlException($"the description of a device is not XML: {e.Message}", e);
        }

        if (!IsKnown(element))
        {
            throw new DomainXmlException($"a device of kind '{element.Name.LocalName}' is not for others to add");
        }

        // Elements with a prefix are the hypervisor's own language, in which anything can be said.
        return element.DescendantsAndSelf().Any(e => e.Name.Namespace != XNamespace.None || e.Attributes().Any(a => a.Name.Namespace != XNamespace.None || a.IsNamespaceDeclaration))
            ? throw new DomainXmlException("the description of a device has names of a namespace")
            : Of(element);
    }

    internal static bool IsKnown(XElement element) => Kinds.Contains(element.Name.LocalName);

    internal static ExtraDevice Of(XElement element)
    {
        // Comments say nothing, and neither do line ends between elements.
        XElement bare = new(element);
        foreach (XNode node in bare.DescendantNodes().ToArray())
        {
            if (node is XComment or XProcessingInstruction || (node is XText text && string.IsNullOrWhiteSpace(text.Value) && text.Parent is { HasElements: true }))
            {
                node.Remove();
            }
        }

        return new ExtraDevice(bare.ToString(SaveOptions.DisableFormatting));
    }
}
