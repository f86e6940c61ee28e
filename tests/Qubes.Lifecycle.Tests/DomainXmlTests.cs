using CsCheck;
using Qubes.Lifecycle.DomainXml;

namespace Qubes.Lifecycle.Tests;

public sealed class DomainXmlTests
{
    private static readonly DomainSpec Full = new()
    {
        Kind = DomainKind.Emulated,
        Name = "work",
        Uuid = Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"),
        MemoryMiB = 256,
        VCpus = 2,
        KernelPath = "/srv/kernel & \"more\"/vmlinuz",
        InitrdPath = "/srv/initramfs",
        CommandLine = "root=/dev/vda <console>='ttyS0'",
        Disks = [new DomainDisk("vda", "/srv/root.qcow2", "qcow2", IsFile: true, IsReadOnly: false, "root"), new DomainDisk("vdd", "/dev/mapper/x", "raw", IsFile: false, IsReadOnly: true, "kernel")],
        ChannelPath = "/run/qubes/vchan/work.sock",
        ConsoleLogPath = "/var/log/qubes/guest-work.log",
    };

    [Fact]
    public void A_description_survives_the_way_there_and_back_whatever_is_in_it()
    {
        // Everything XML can hold; what it cannot is the next test's.
        Gen<string> text = Gen.String[Gen.Char['\u0020', '\ud7ff'], 1, 40];
        Gen.Select(text, text, text, Gen.Int[1, 1 << 20], Gen.Int[1, 64], (line, path, serial, memory, cpus) =>
            Full with { CommandLine = line, KernelPath = path, MemoryMiB = memory, VCpus = cpus, Disks = [Full.Disks[0] with { Path = path, Serial = serial }] })
            .Sample(spec =>
            {
                DomainXmlText.Render(spec);
            });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(0xd800)]
    [InlineData(0xffff)]
    public void What_XML_cannot_hold_is_refused(int character) =>
        Assert.Throws<DomainXmlException>(() => DomainXmlText.Render(Full with { CommandLine = $"a{(char)character}b" }));

    [Theory]
    [InlineData("/a\r\n/b")]
    [InlineData("/a\r/b")]
    [InlineData(" /a\t/b ")]
    public void White_space_arrives_as_it_was_or_is_refused(string path)
    {
        // In attributes and elements XML readers turn some white space into other.
        DomainSpec spec = Full with { KernelPath = path, ChannelPath = path };
        try
        {
            string xml = DomainXmlText.Render(spec);
            Assert.Contains(path, System.Xml.Linq.XElement.Parse(xml, System.Xml.Linq.LoadOptions.PreserveWhitespace).Value, StringComparison.Ordinal);
        }
        catch (DomainXmlException refused)
        {
            Assert.Contains("something else", refused.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(DomainKind.Kvm, "type=\"kvm\"", "host-passthrough")]
    [InlineData(DomainKind.Emulated, "type=\"qemu\"", "maximum")]
    public void The_processor_follows_the_kind_of_domain(DomainKind kind, string type, string cpu)
    {
        string xml = DomainXmlText.Render(Full with { Kind = kind });
        Assert.Contains(type, xml, StringComparison.Ordinal);
        Assert.Contains(cpu, xml, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_kernel_the_first_disk_boots()
    {
        string xml = DomainXmlText.Render(Full with { KernelPath = null, InitrdPath = null, CommandLine = null });
        Assert.Contains("<boot dev=\"hd\" />", xml, StringComparison.Ordinal);
        Assert.DoesNotContain("<kernel>", xml, StringComparison.Ordinal);
    }

    [Fact]
    public void A_disc_is_put_into_a_drive_and_booted_first()
    {
        string xml = DomainXmlText.Render(Full with
        {
            KernelPath = null, InitrdPath = null, CommandLine = null,
            Disks = [Full.Disks[0], new DomainDisk("sdd", "/dev/loop7", "raw", IsFile: false, IsReadOnly: true, "xvdd", IsCdrom: true)],
        });
        Assert.Contains("device=\"cdrom\"", xml, StringComparison.Ordinal);
        Assert.Contains("<target dev=\"sdd\" bus=\"sata\" />", xml, StringComparison.Ordinal);
        Assert.True(xml.IndexOf("<boot dev=\"cdrom\" />", StringComparison.Ordinal) < xml.IndexOf("<boot dev=\"hd\" />", StringComparison.Ordinal));
    }

    [Fact]
    public void Devices_of_the_host_are_handed_over_by_address()
    {
        Assert.True(PciAddress.TryParse("0001:c6:1f.7", out PciAddress address));
        string xml = DomainXmlText.Render(Full with { HostDevices = [address] });
        Assert.Contains("<hostdev mode=\"subsystem\" type=\"pci\" managed=\"yes\">", xml, StringComparison.Ordinal);
        Assert.Contains("<address domain=\"0x0001\" bus=\"0xc6\" slot=\"0x1f\" function=\"0x7\" />", xml, StringComparison.Ordinal);
    }

    [Fact]
    public void There_are_free_ports_beside_those_of_the_start() => Assert.Equal(Full.Disks.Count + 3 + DomainXmlWriter.FreePorts,
        System.Xml.Linq.XElement.Parse(DomainXmlText.Render(Full)).Descendants("controller").Count(c => c.Attribute("model")?.Value == "pcie-root-port"));

    [Theory]
    [InlineData("<sound model='ich6'/>", "<sound model=\"ich6\" />")]
    [InlineData("\n<graphics type='vnc'><!-- ours -->\n  <listen type='address' address='127.0.0.1'/>\n</graphics>\n", "<graphics type=\"vnc\"><listen type=\"address\" address=\"127.0.0.1\" /></graphics>")]
    [InlineData("<tpm model='tpm-crb'><backend type='emulator' version='2.0'/><alias name='a &amp; b'/></tpm>", "<tpm model=\"tpm-crb\"><backend type=\"emulator\" version=\"2.0\" /><alias name=\"a &amp; b\" /></tpm>")]
    public void A_device_of_others_survives_the_way_there_and_back_and_has_a_port(string untrustedXml, string xml)
    {
        ExtraDevice device = ExtraDevice.Parse(untrustedXml);
        Assert.Equal(xml, device.Xml);
        System.Xml.Linq.XElement domain = System.Xml.Linq.XElement.Parse(DomainXmlText.Render(Full with { ExtraDevices = [device, device] }));
        Assert.Equal(2, domain.Element("devices")!.Elements(domain.Element("devices")!.Elements().Last().Name).Count());
        Assert.Equal(Full.Disks.Count + 5 + DomainXmlWriter.FreePorts, domain.Descendants("controller").Count(c => c.Attribute("model")?.Value == "pcie-root-port"));
    }

    [Theory]
    [InlineData("<disk/>")]
    [InlineData("<hostdev/>")]
    [InlineData("<channel/>")]
    [InlineData("<controller/>")]
    [InlineData("<serial/>")]
    [InlineData("<interface/>")]
    [InlineData("<memballoon/>")]
    [InlineData("<q:sound xmlns:q='x'/>")]
    [InlineData("<sound q:a='1' xmlns:q='x'/>")]
    [InlineData("sound")]
    [InlineData("")]
    public void A_device_that_is_the_daemons_or_none_is_refused(string untrustedXml) =>
        Assert.Throws<DomainXmlException>(() => ExtraDevice.Parse(untrustedXml));

    [Theory]
    [InlineData("0000:00:14.0", true)]
    [InlineData("ffff:ff:1f.7", true)]
    [InlineData("0000:00:20.0", false)]
    [InlineData("0000:00:14.8", false)]
    [InlineData("0000:00:14", false)]
    [InlineData("0000-00:14.0", false)]
    [InlineData("000g:00:14.0", false)]
    public void An_address_is_what_the_kernel_writes(string text, bool isOne)
    {
        Assert.Equal(isOne, PciAddress.TryParse(text, out PciAddress address));
        Assert.True(!isOne || address.ToString() == text);
    }

    [Fact]
    public void A_plugged_disk_survives_the_way_there_and_back_or_is_refused()
    {
        Assert.Contains("xvdi", DomainXmlText.RenderDisk(new DomainDisk("vdi", "/dev/sdb & \"x\"", "raw", IsFile: false, IsReadOnly: true, "xvdi")), StringComparison.Ordinal);
        Assert.Throws<DomainXmlException>(() => DomainXmlText.RenderDisk(new DomainDisk("vdi", "/dev/\u0001", "raw", IsFile: false, IsReadOnly: true, "xvdi")));
    }
}
