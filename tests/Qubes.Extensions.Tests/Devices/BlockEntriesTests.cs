using System.Text;
using CsCheck;
using Qubes.Extensions.Block;
using Qubes.Protocol.Devices;
using Qubes.Protocol.QubesDb;

namespace Qubes.Extensions.Tests.Devices;

public sealed class BlockEntriesTests
{
    [Theory]
    [InlineData("Samsung_SSD_860 (my label)", "Samsung SSD 860", "my label")]
    [InlineData("Samsung_SSD ()", "Samsung SSD", null)]
    [InlineData(" ()", null, null)]
    [InlineData("", null, null)]
    [InlineData(null, null, null)]
    [InlineData("/home/user/disk.img", "/home/user/disk.img", null)]
    [InlineData("A\u00e4<b> (x'y)", "A  b", "x y")]
    public void The_description_is_model_and_label(string? text, string? serial, string? name)
    {
        DeviceInfo info = Read(("sda/desc", text)).Single().Info;
        Assert.Equal((serial, name), (info.Serial, info.Name));
        Assert.Equal("hosted by sys-usb", info.Manufacturer);
    }

    [Fact]
    public void Size_and_mode_are_taken_where_they_make_sense()
    {
        BlockDevice device = Read(("sda/desc", "x"), ("sda/size", "1024"), ("sda/mode", "r")).Single();
        Assert.Equal((1024L, true), (device.Size, device.IsReadOnly));
        device = Read(("sda/desc", "x"), ("sda/size", "-1"), ("sda/mode", "rw")).Single();
        Assert.Equal((0L, false), (device.Size, device.IsReadOnly));
    }

    [Fact]
    public void The_identity_is_that_of_the_parent_and_a_number()
    {
        BlockDevice[] devices =
        [
            .. Read(("sda/parent", "4-4.1:1.0"), ("sda1/parent", "sda"), ("sdb/desc", "x"), ("sdb2/parent", "sdb"), ("loop0/desc", "x"), ("sdc/parent", "9-9:1.0")),
        ];
        Assert.Equal(
            ["loop0 :0", "sda known:1.0", "sda1 known:1.0:1", "sdb :None", "sdb2 :None:2", "sdc :1.0"],
            devices.Select(d => $"{d.Info.Port.PortId} {d.Info.Device.DeviceId}"));
        Assert.Equal(new DevicePort("usb", "sys-usb", "4-4.1"), devices[1].Info.Parent);
        Assert.Equal(new DevicePort("block", "sys-usb", "sda"), devices[2].Info.Parent);
        Assert.Equal("sub-device of sys-usb:sda", devices[2].Info.Manufacturer);
    }

    [Fact]
    public void Parents_in_a_circle_end() => Assert.Equal(2, Read(("a/parent", "b"), ("b/parent", "a")).Count);

    [Theory]
    [InlineData("sda_1/desc")]
    [InlineData("Sda/desc")]
    [InlineData("abcdefghijklm/desc")]
    [InlineData("sda")]
    [InlineData("sda/desc/more")]
    public void Names_no_device_can_have_are_left_out(string path) => Assert.Empty(Read((path, "x")));

    [Fact]
    public void A_backend_is_not_believed_any_number_of_devices() =>
        Assert.Equal(BlockEntries.MostDevices, Read([.. Enumerable.Range(0, 1000).Select(i => ($"d{i}/desc", (string?)"x"))]).Count);

    [Fact]
    public void Whatever_a_backend_says_can_be_listed()
    {
        Gen<string> path = Gen.Select(Gen.String[Gen.Char["abz019-"], 1, 12], Gen.Int[0, 3].Select(i => new[] { "desc", "size", "mode", "parent" }[i]), (port, key) => $"{port}/{key}");
        Gen.Select(path, Gen.Byte.Array[0, 40]).List[0, 12].Sample(entries =>
        {
            foreach (BlockDevice device in ToDevices(entries.Select(e => new QubesDbEntry(BlockEntries.Directory + e.Item1, e.Item2))))
            {
                Assert.Equal(device.Info.Device, DeviceInfoText.ParseLine(DeviceInfoText.WriteLine(device.Info), "block", "sys-usb").Device);
            }
        });
    }

    private static IReadOnlyList<BlockDevice> Read(params (string Path, string? Value)[] entries) => ToDevices(
        entries.Select(e => new QubesDbEntry(BlockEntries.Directory + e.Path, Encoding.Latin1.GetBytes(e.Value ?? ""))));

    private static IReadOnlyList<BlockDevice> ToDevices(IEnumerable<QubesDbEntry> entries) => BlockEntries.ToDevices(
        BlockEntries.FromDatabase(entries), "sys-usb", port => port.PortId == "4-4.1" ? "known" : null);
}
