using System.Globalization;
using System.Xml;
using System.Xml.Linq;

namespace Qubes.Lifecycle.DomainXml;

/// <summary>Reads back what <see cref="DomainXmlWriter"/> writes: the independent half of the check before a domain is defined.</summary>
internal static class DomainXmlReader
{
    private static readonly XmlReaderSettings Settings = new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = 1 << 20 };

    /// <exception cref="XmlException">Not well formed.</exception>
    /// <exception cref="FormatException">An element is missing or has no sense.</exception>
    internal static DomainSpec Read(string xml)
    {
        XElement domain = Root(xml);
        XElement os = Child(domain, "os");
        XElement? devices = domain.Element("devices");
        return new DomainSpec
        {
            Kind = KindOf(Attribute(domain, "type")),
            Name = Child(domain, "name").Value,
            Uuid = Guid.ParseExact(Child(domain, "uuid").Value, "D"),
            MemoryMiB = Memory(Child(domain, "memory")),
            VCpus = int.Parse(Child(domain, "vcpu").Value, NumberStyles.None, CultureInfo.InvariantCulture),
            KernelPath = os.Element("kernel")?.Value,
            InitrdPath = os.Element("initrd")?.Value,
            CommandLine = os.Element("cmdline")?.Value,
            Disks = devices?.Elements("disk").Select(ReadDisk).ToArray() ?? [],
            HostDevices = devices?.Elements("hostdev").Select(ReadHostDevice).ToArray() ?? [],
            ExtraDevices = devices?.Elements().Where(ExtraDevice.IsKnown).Select(ExtraDevice.Of).ToArray() ?? [],
            ChannelPath = devices?.Element("channel") is { } channel ? Attribute(Child(channel, "source"), "path") : null,
            ConsoleLogPath = devices?.Element("serial")?.Element("log") is { } log ? Attribute(log, "file") : null,
        };
    }

    internal static DomainDisk ReadDisk(string xml) => ReadDisk(Root(xml));

    internal static IReadOnlyList<DomainDisk> ReadDisks(string xml)
    {
        List<DomainDisk> disks = [];
        foreach (XElement disk in Root(xml).Element("devices")?.Elements("disk") ?? [])
        {
            // A drive without a disc has no source, and what is not ours may lack a serial.
            if (disk.Element("source") is not null && disk.Element("serial") is not null)
                disks.Add(ReadDisk(disk));
        }

        return disks;
    }

    internal static XElement Root(string xml)
    {
        using XmlReader reader = XmlReader.Create(new StringReader(xml), Settings);
        return XDocument.Load(reader).Root!;
    }

    private static PciAddress ReadHostDevice(XElement device)
    {
        XElement address = Child(Child(device, "source"), "address");
        return new PciAddress(Hex(address, "domain"), Hex(address, "bus"), Hex(address, "slot"), Hex(address, "function"));
    }

    private static int Hex(XElement element, string name) =>
        int.Parse(Attribute(element, name).AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static DomainDisk ReadDisk(XElement disk)
    {
        bool isFile = Attribute(disk, "type") == "file";
        return new DomainDisk(
            Attribute(Child(disk, "target"), "dev"),
            Attribute(Child(disk, "source"), isFile ? "file" : "dev"),
            Attribute(Child(disk, "driver"), "type"),
            isFile,
            disk.Element("readonly") is not null,
            Child(disk, "serial").Value,
            Attribute(disk, "device") == "cdrom");
    }

    private static DomainKind KindOf(string type) => type switch
    {
        "kvm" => DomainKind.Kvm,
        "qemu" => DomainKind.Emulated,
        "test" => DomainKind.Test,
        _ => throw new FormatException($"unknown domain type '{type}'"),
    };

    private static int Memory(XElement element) => Attribute(element, "unit") == "MiB"
        ? int.Parse(element.Value, NumberStyles.None, CultureInfo.InvariantCulture)
        : throw new FormatException("memory is not in MiB");

    private static XElement Child(XElement parent, string name) =>
        parent.Element(name) ?? throw new FormatException($"'{parent.Name}' has no '{name}'");

    private static string Attribute(XElement element, string name) =>
        element.Attribute(name)?.Value ?? throw new FormatException($"'{element.Name}' has no '{name}'");
}
