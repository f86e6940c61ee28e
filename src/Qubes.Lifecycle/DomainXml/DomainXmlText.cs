using System.Xml;

namespace Qubes.Lifecycle.DomainXml;

/// <summary>From a description to XML that provably says the same.</summary>
public static class DomainXmlText
{
    /// <summary>Name of the virtio-serial port that carries the guest's vchans.</summary>
    public const string ChannelName = "org.qubes-os.vchan.0";

    /// <exception cref="DomainXmlException">A value cannot be expressed in XML, or does not survive the way there and back.</exception>
    public static string Render(DomainSpec spec)
    {
        string xml;
        DomainSpec parsed;
        try
        {
            xml = DomainXmlWriter.Write(spec);
            parsed = DomainXmlReader.Read(xml);
        }
        catch (Exception failure) when (failure is XmlException or ArgumentException or FormatException)
        {
            throw new DomainXmlException($"The domain of '{spec.Name}' cannot be described: {failure.Message}", failure);
        }

        return parsed.IsSameAs(spec)
            ? xml
            : throw new DomainXmlException($"The description of the domain of '{spec.Name}' reads back as something else");
    }

    /// <summary>A disk by itself, to be plugged or unplugged.</summary>
    /// <exception cref="DomainXmlException">It cannot be expressed, or does not survive the way there and back.</exception>
    public static string RenderDisk(DomainDisk disk)
    {
        try
        {
            string xml = DomainXmlWriter.WriteDisk(disk);
            return DomainXmlReader.ReadDisk(xml) == disk
                ? xml
                : throw new DomainXmlException($"The description of disk '{disk.Target}' reads back as something else");
        }
        catch (Exception failure) when (failure is XmlException or ArgumentException or FormatException)
        {
            throw new DomainXmlException($"Disk '{disk.Target}' cannot be described: {failure.Message}", failure);
        }
    }

    /// <summary>The disks of a domain as the hypervisor describes it. Those this daemon would not have made are left out.</summary>
    internal static IReadOnlyList<DomainDisk> ReadDisks(string xml) => DomainXmlReader.ReadDisks(xml);
}
