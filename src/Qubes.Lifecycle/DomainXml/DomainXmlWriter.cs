using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace Qubes.Lifecycle.DomainXml;

/// <summary>Writes a domain as libvirt's QEMU and test drivers take it. docs/guests.md says why each element is there.</summary>
internal static class DomainXmlWriter
{
    private static readonly XmlWriterSettings Settings = new() { OmitXmlDeclaration = true, Indent = true, CheckCharacters = true };

    /// <summary>How many devices can be plugged into a running domain.</summary>
    internal const int FreePorts = 8;

    // The random number source and the memory balloon.
    private const int OtherDevices = 2;

    internal static string Write(DomainSpec spec)
    {
        StringBuilder text = new();
        using (XmlWriter xml = XmlWriter.Create(text, Settings))
        {
            xml.WriteStartElement("domain");
            xml.WriteAttributeString("type", TypeName(spec.Kind));
            xml.WriteElementString("name", spec.Name);
            xml.WriteElementString("uuid", spec.Uuid.ToString("D"));
            WriteMemory(xml, "memory", spec.MemoryMiB);
            WriteMemory(xml, "currentMemory", spec.MemoryMiB);
            xml.WriteStartElement("vcpu");
            xml.WriteAttributeString("placement", "static");
            xml.WriteString(spec.VCpus.ToString(CultureInfo.InvariantCulture));
            xml.WriteEndElement();
            if (spec.Kind == DomainKind.Test)
                WriteTestMachine(xml, spec);
            else
                WriteMachine(xml, spec);
            xml.WriteEndElement();
        }

        return text.ToString();
    }

    internal static string TypeName(DomainKind kind) => kind switch
    {
        DomainKind.Kvm => "kvm",
        DomainKind.Emulated => "qemu",
        _ => "test",
    };

    private static void WriteTestMachine(XmlWriter xml, DomainSpec spec)
    {
        xml.WriteStartElement("os");
        xml.WriteElementString("type", "hvm");
        xml.WriteEndElement();
        WriteReactions(xml);
        xml.WriteStartElement("devices");
        WriteExtraDevices(xml, spec);
        xml.WriteEndElement();
    }

    private static void WriteMachine(XmlWriter xml, DomainSpec spec)
    {
        WriteElement(xml, "cpu", ("mode", spec.Kind == DomainKind.Kvm ? "host-passthrough" : "maximum"));
        xml.WriteStartElement("os");
        xml.WriteStartElement("type");
        xml.WriteAttributeString("arch", "x86_64");
        xml.WriteAttributeString("machine", "q35");
        xml.WriteString("hvm");
        xml.WriteEndElement();
        if (spec.KernelPath is not null)
        {
            xml.WriteElementString("kernel", spec.KernelPath);
            if (spec.InitrdPath is not null)
                xml.WriteElementString("initrd", spec.InitrdPath);
            if (spec.CommandLine is not null)
                xml.WriteElementString("cmdline", spec.CommandLine);
        }
        else
        {
            // A disc is put in to be booted: an installer.
            if (spec.Disks.Any(disk => disk.IsCdrom))
                WriteElement(xml, "boot", ("dev", "cdrom"));
            WriteElement(xml, "boot", ("dev", "hd"));
        }

        xml.WriteEndElement();
        xml.WriteStartElement("features");
        WriteElement(xml, "acpi"); // the shutdown request is the ACPI power button
        WriteElement(xml, "apic");
        xml.WriteEndElement();
        WriteElement(xml, "clock", ("offset", "utc"));
        WriteReactions(xml);
        WriteDevices(xml, spec);
    }

    private static void WriteReactions(XmlWriter xml)
    {
        // A guest's reboot ends the qube, as on Xen: the next start is ours, with fresh volumes.
        xml.WriteElementString("on_poweroff", "destroy");
        xml.WriteElementString("on_reboot", "destroy");
        xml.WriteElementString("on_crash", "destroy");
    }

    private static void WriteDevices(XmlWriter xml, DomainSpec spec)
    {
        xml.WriteStartElement("devices");
        WritePorts(xml, spec);
        foreach (DomainDisk disk in spec.Disks)
            WriteDisk(xml, disk);
        foreach (PciAddress device in spec.HostDevices)
            WriteHostDevice(xml, device);
        WriteElement(xml, "controller", ("type", "usb"), ("model", "none"));
        if (spec.ChannelPath is not null)
        {
            WriteElement(xml, "controller", ("type", "virtio-serial"), ("index", "0"));
            xml.WriteStartElement("channel");
            xml.WriteAttributeString("type", "unix");
            WriteElement(xml, "source", ("mode", "bind"), ("path", spec.ChannelPath));
            WriteElement(xml, "target", ("type", "virtio"), ("name", DomainXmlText.ChannelName));
            xml.WriteEndElement();
        }

        xml.WriteStartElement("serial");
        xml.WriteAttributeString("type", "pty");
        if (spec.ConsoleLogPath is not null)
            WriteElement(xml, "log", ("file", spec.ConsoleLogPath), ("append", "on"));
        WriteElement(xml, "target", ("type", "isa-serial"), ("port", "0"));
        xml.WriteEndElement();
        xml.WriteStartElement("rng");
        xml.WriteAttributeString("model", "virtio");
        xml.WriteStartElement("backend");
        xml.WriteAttributeString("model", "random");
        xml.WriteString("/dev/urandom");
        xml.WriteEndElement();
        xml.WriteEndElement();
        WriteElement(xml, "memballoon", ("model", "virtio"));
        WriteExtraDevices(xml, spec);
        xml.WriteEndElement();
    }

    private static void WriteExtraDevices(XmlWriter xml, DomainSpec spec)
    {
        foreach (ExtraDevice device in spec.ExtraDevices)
            XElement.Parse(device.Xml).WriteTo(xml);
    }

    /// <summary>A disk by itself, to be plugged or unplugged.</summary>
    internal static string WriteDisk(DomainDisk disk)
    {
        StringBuilder text = new();
        using (XmlWriter xml = XmlWriter.Create(text, Settings))
        {
            WriteDisk(xml, disk);
        }

        return text.ToString();
    }

    /// <summary>
    /// On this machine a device can be plugged only into a free port that was there at the start, and the devices of the start take
    /// ports as well: one for each of them, and the free ones.
    /// </summary>
    private static void WritePorts(XmlWriter xml, DomainSpec spec)
    {
        int taken = spec.Disks.Count(disk => !disk.IsCdrom) + spec.HostDevices.Count + (spec.ChannelPath is null ? 0 : 1) + spec.ExtraDevices.Count + OtherDevices;
        for (int index = 1; index <= taken + FreePorts; index++)
        {
            WriteElement(xml, "controller", ("type", "pci"), ("index", index.ToString(CultureInfo.InvariantCulture)), ("model", "pcie-root-port"));
        }
    }

    private static void WriteHostDevice(XmlWriter xml, PciAddress device)
    {
        xml.WriteStartElement("hostdev");
        xml.WriteAttributeString("mode", "subsystem");
        xml.WriteAttributeString("type", "pci");
        xml.WriteAttributeString("managed", "yes");
        xml.WriteStartElement("source");
        WriteElement(xml, "address", ("domain", Hex(device.Segment, 4)), ("bus", Hex(device.Bus, 2)), ("slot", Hex(device.Slot, 2)),
            ("function", Hex(device.Function, 1)));
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    private static string Hex(int value, int digits) => "0x" + value.ToString("x" + digits, CultureInfo.InvariantCulture);

    private static void WriteDisk(XmlWriter xml, DomainDisk disk)
    {
        xml.WriteStartElement("disk");
        xml.WriteAttributeString("type", disk.IsFile ? "file" : "block");
        xml.WriteAttributeString("device", disk.IsCdrom ? "cdrom" : "disk");
        WriteElement(xml, "driver", ("name", "qemu"), ("type", disk.Format), ("discard", "unmap"));
        WriteElement(xml, "source", (disk.IsFile ? "file" : "dev", disk.Path));
        WriteElement(xml, "target", ("dev", disk.Target), ("bus", disk.IsCdrom ? "sata" : "virtio"));
        if (disk.IsReadOnly)
            WriteElement(xml, "readonly");
        xml.WriteElementString("serial", disk.Serial);
        xml.WriteEndElement();
    }

    private static void WriteMemory(XmlWriter xml, string element, int mebibytes)
    {
        xml.WriteStartElement(element);
        xml.WriteAttributeString("unit", "MiB");
        xml.WriteString(mebibytes.ToString(CultureInfo.InvariantCulture));
        xml.WriteEndElement();
    }

    private static void WriteElement(XmlWriter xml, string name, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        xml.WriteStartElement(name);
        foreach ((string attribute, string value) in attributes)
            xml.WriteAttributeString(attribute, value);
        xml.WriteEndElement();
    }
}
