using CsCheck;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Tests.Devices;

public sealed class DeviceInfoTests
{
    private static readonly VirtualDevice Sda = new(new DevicePort("block", "dom0", "sda"), ":None");

    [Fact]
    public void The_fields_of_a_device_have_their_order()
    {
        DeviceInfo info = new()
        {
            Device = Sda, Vendor = "V", Product = "P", Manufacturer = "M", Name = "N", Serial = "S", Attachment = "work",
            Interfaces = [DeviceInterface.Block, DeviceInterface.Of("usb", "0806")], Parent = new DevicePort("usb", "dom0", "1-1"), Data = [new("k", "it's")],
        };
        Assert.Equal("device_id=':None' port_id='sda' devclass='block' backend_domain='dom0' vendor='V' product='P' manufacturer='M' name='N' serial='S'"
            + @" attachment='work' interfaces='b******u0806**' parent_port_id='1-1' parent_devclass='usb' _k='it\'s'", DeviceInfoText.Write(info));
        Assert.Equal(info.EventText, DeviceInfoText.Parse(DeviceInfoText.Write(info), Sda).EventText);
    }

    [Fact]
    public void Every_device_is_read_back_from_its_line()
    {
        Gen<string?> text = Gen.OneOf(Gen.Const((string?)null), Gen.String[Gen.Char["ab '\"=z"], 0, 10].Where(s => !s.EndsWith('=')).Select(s => (string?)s));
        Gen.Select(text, text, text, Gen.Bool).Sample((vendor, name, attachment, isPart) =>
        {
            DeviceInfo info = new()
            {
                Device = Sda, Vendor = vendor, Name = name, Attachment = attachment, Interfaces = [DeviceInterface.Block],
                Parent = isPart ? new DevicePort("usb", "dom0", "1-1") : null, Data = [new("sbdf", "0000:00:14.0")],
            };
            DeviceInfo read = DeviceInfoText.ParseLine(DeviceInfoText.WriteLine(info), "block", "dom0");
            Assert.Equal(DeviceInfoText.Write(info), DeviceInfoText.Write(read));
            Assert.Equal((info.Device, info.Vendor, info.Name, info.Attachment, info.Parent), (read.Device, read.Vendor, read.Name, read.Attachment, read.Parent));
        });
    }

    [Fact]
    public void A_line_whose_record_makes_no_sense_is_a_device_nothing_is_known_of()
    {
        DeviceInfo info = DeviceInfoText.ParseLine("sda:x:y interfaces='b'", "block", "dom0");
        Assert.Equal(("dom0:sda:x:y", DeviceInterface.Unknown), (info.EventText, Assert.Single(info.Interfaces)));
        Assert.Throws<ProtocolErrorException>(() => DeviceInfoText.ParseLine("sda", "block", "dom0"));
    }

    [Theory]
    [InlineData("backend_domain='work'")]
    [InlineData("port_id='sdb'")]
    [InlineData("devclass='usb'")]
    [InlineData("device_id='other'")]
    public void A_record_of_another_device_is_refused(string record) =>
        Assert.Equal(QubesErrorNames.UnexpectedDeviceProperty, Assert.Throws<QubesException>(() => DeviceInfoText.Parse(record, Sda)).WireName);

    [Fact]
    public void Any_identity_is_expected_of_a_port_named_without_one() =>
        Assert.Equal("news", DeviceInfoText.Parse("device_id='news'", Sda with { DeviceId = "*" }).Device.DeviceId);

    [Theory]
    [InlineData("V", "P", "M", "N", "S", "Block_Storage: V P")]
    [InlineData(null, null, "M", "N", "S", "Block_Storage: M N")]
    [InlineData(null, null, null, null, "S", "Block_Storage: unknown vendor S")]
    [InlineData(null, null, null, null, null, "Block_Storage: unknown vendor unknown block device")]
    public void The_description_takes_the_best_known(string? vendor, string? product, string? manufacturer, string? name, string? serial, string expected) =>
        Assert.Equal(expected, new DeviceInfo
        {
            Device = Sda, Vendor = vendor, Product = product, Manufacturer = manufacturer, Name = name, Serial = serial, Interfaces = [DeviceInterface.Block],
        }.Description);

    [Fact]
    public void A_nameless_part_is_described_by_its_parent() =>
        Assert.Equal("sub-device of dom0:1-1", new DeviceInfo { Device = Sda, Parent = new DevicePort("usb", "dom0", "1-1") }.Description);

    [Theory]
    [InlineData("u030101", "Keyboard")]
    [InlineData("u030102", "Mouse")]
    [InlineData("u030000", "Input")]
    [InlineData("b******", "Block_Storage")]
    [InlineData("m000000", "Microphone")]
    [InlineData("p0c0330", "PCI_USB")]
    [InlineData("p0c0500", "PCI_Serial_Bus")]
    [InlineData("ue00101", "Bluetooth")]
    [InlineData("ue00102", "Network")]
    [InlineData("p030000", "Display")]
    [InlineData("p048000", "Multimedia")]
    [InlineData("?******", "Other")]
    public void The_category_is_the_one_that_says_most(string code, string expected) =>
        Assert.Equal(expected, DeviceCategory.Of(DeviceInterface.FromCode(code)).Name);

    [Fact]
    public void Interfaces_are_built_of_digits()
    {
        Assert.Equal("u0806**", DeviceInterface.Of("usb", "0806").Code);
        Assert.Equal("Invalid characters in interface encoding", Assert.Throws<ProtocolErrorException>(() => DeviceInterface.Of("usb", "xyz")).Message);
        QubesException failure = Assert.Throws<QubesException>(() => DeviceInterface.ParseList("u080650p"));
        Assert.Equal((QubesErrorNames.Value, "Invalid length of interfaces='u080650p' (is 8, expected multiple of 7)"), (failure.WireName, failure.Message));
    }
}
