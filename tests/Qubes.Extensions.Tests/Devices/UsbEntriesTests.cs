using System.Text;
using CsCheck;
using Qubes.Extensions.Usb;
using Qubes.Protocol.Devices;
using Qubes.Protocol.QubesDb;

namespace Qubes.Extensions.Tests.Devices;

public sealed class UsbEntriesTests
{
    [Fact]
    public void A_device_is_what_its_backend_and_the_data_base_say()
    {
        DeviceInfo device = Assert.Single(Read(
            ("2-1_3/desc", @"046d:c52b Logi\x20tech USB\x20Receiver A+B\x2f1"), ("2-1_3/interfaces", ":030101:0300FF:x:"), ("2-1_3/usb-ver", "2"),
            ("2-1_3/connected-to", "work"), ("2-1_3/x-pid", "1234")));
        Assert.Equal(
            "2-1.3:046d:c52b:A_B_1:u030101u0300ff?****** device_id='046d:c52b:A_B_1:u030101u0300ff?******' port_id='2-1.3' devclass='usb' backend_domain='sys-usb'"
            + " vendor='Logitech, Inc.' product='Unifying Receiver' manufacturer='Logi tech' name='USB Receiver' serial='A+B/1' attachment='work' interfaces='u030101u0300ff?******'",
            DeviceInfoText.WriteLine(device));
        Assert.Equal("Keyboard: Logitech, Inc. Unifying Receiver", device.Description);
    }

    [Theory]
    [InlineData("046d:0001 A B ", "046d:0001::?******", null, "A", "B")]
    [InlineData("046d:0001 A B C D", "0000:0000::?******", null, null, "046d:0001_A_B_C_D")]
    [InlineData("046D:0001 A B C", "0000:0000::?******", null, null, "046D:0001_A_B_C")]
    [InlineData(@"046d:0001 A B \x2b________", "046d:0001:-------__:?******", null, "A", "B")]
    [InlineData("nonsense", "0000:0000::?******", null, null, "nonsense")]
    [InlineData(null, "0000:0000::?******", null, null, null)]
    public void What_is_not_told_in_form_is_unknown(string? text, string id, string? vendor, string? manufacturer, string? name)
    {
        DeviceInfo device = Assert.Single(Read(("1-1/desc", text)));
        Assert.Equal((id, vendor, manufacturer, name), (device.Device.DeviceId, device.Vendor, device.Manufacturer, device.Name));
    }

    [Theory]
    [InlineData(@"a\x20b", "a b")]
    [InlineData(@"\x00\xff\x7", "__\\x7")]
    [InlineData(@"a\y\x2", @"a\y\x2")]
    [InlineData(@"\x20\x20", null)]
    [InlineData("", null)]
    [InlineData("\u00e4\u001b[1m", "__[1m")]
    public void A_word_is_decoded_to_what_can_be_shown(string word, string? text) => Assert.Equal(text, UsbEntries.Decode(word));

    [Theory]
    [InlineData("1-1", true)]
    [InlineData("12-3.4.5", true)]
    [InlineData("usb1", false)]
    [InlineData("1-1:1.0", false)]
    [InlineData("1-", false)]
    [InlineData("1-1.", false)]
    [InlineData("-1", false)]
    [InlineData("", false)]
    [InlineData("1-1_2", false)]
    [InlineData("1-11111111111111111111111111111111", false)]
    public void A_port_is_a_bus_and_numbers(string name, bool isPort) => Assert.Equal(isPort, UsbEntries.IsPort(name));

    [Theory]
    [InlineData("1-1.2/desc")]
    [InlineData("usb1/desc")]
    [InlineData("1-1")]
    [InlineData("1-1/desc/more")]
    public void Names_no_device_can_have_are_left_out(string path) => Assert.Empty(Read((path, "x")));

    [Theory]
    [InlineData("nobody")]
    [InlineData("")]
    [InlineData("../work")]
    public void Only_a_qube_that_exists_is_believed_to_have_it(string frontend) =>
        Assert.Null(Assert.Single(Read(("1-1/desc", "x"), ("1-1/connected-to", frontend))).Attachment);

    [Fact]
    public void A_backend_is_not_believed_any_number_of_devices() =>
        Assert.Equal(UsbEntries.MostDevices, Read([.. Enumerable.Range(0, 1000).Select(i => ($"1-{i}/desc", (string?)"x"))]).Count);

    [Fact]
    public void Whatever_a_backend_says_can_be_listed()
    {
        Gen<string> path = Gen.Select(Gen.String[Gen.Char["019-_.a"], 1, 8], Gen.Int[0, 3].Select(i => new[] { "desc", "interfaces", "connected-to", "x" }[i]), (port, key) => $"{port}/{key}");
        Gen<byte[]> text = Gen.OneOf(Gen.Byte.Array[0, 40], Gen.String[Gen.Char[@"\x20:af 0'="], 0, 40].Select(Encoding.Latin1.GetBytes));
        Gen.Select(path, text).List[0, 12].Sample(entries =>
        {
            foreach (DeviceInfo device in ToDevices(entries.Select(e => new QubesDbEntry(UsbEntries.Directory + e.Item1, e.Item2))))
            {
                DeviceInfo read = DeviceInfoText.ParseLine(DeviceInfoText.WriteLine(device), "usb", "sys-usb");
                Assert.Equal(device.Device, read.Device);
                Assert.Equal(device.Device, VirtualDevice.ParseArgument(device.Device.ToArgument(), "usb"));
            }
        });
    }

    private static IReadOnlyList<DeviceInfo> Read(params (string Path, string? Value)[] entries) => ToDevices(
        entries.Select(e => new QubesDbEntry(UsbEntries.Directory + e.Path, Encoding.Latin1.GetBytes(e.Value ?? ""))));

    private static IReadOnlyList<DeviceInfo> ToDevices(IEnumerable<QubesDbEntry> entries)
    {
        using StringReader names = new("046d  Logitech, Inc.\n\tc52b  Unifying Receiver\nC 00  (Defined at Interface level)\n");
        HardwareNames known = HardwareNames.Read(names);
        return [.. UsbEntries.FromDatabase(entries).Select(e => UsbEntries.ToDevice(e, "sys-usb", known, name => name == "work"))];
    }
}
