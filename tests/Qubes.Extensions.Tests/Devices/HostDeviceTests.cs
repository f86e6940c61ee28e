using Qubes.Extensions.Block;
using Qubes.Extensions.Pci;
using Qubes.Extensions.Usb;
using Qubes.Protocol.Devices;

namespace Qubes.Extensions.Tests.Devices;

public sealed class HostDeviceTests : IDisposable
{
    private const string Usb = "pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sdb";

    private readonly SystemTree _tree = new();

    [Fact]
    public void Disks_partitions_and_loop_devices_that_nothing_uses_are_offered()
    {
        _tree.Block("pci0000:00/ata1/block/sda", ("size", "2048"), ("ro", "0"), ("dev", "8:0"), ("device/model", "Disk One  "));
        _tree.Block("pci0000:00/ata1/block/sda/sda1", ("size", "1024"), ("ro", "0"), ("dev", "8:1"), ("partition", "1"));
        _tree.Block(Usb, ("size", "8"), ("ro", "1"), ("dev", "8:16"), ("device/model", "Stick"));
        _tree.Block("virtual/block/loop0", ("size", "8"), ("ro", "0"), ("dev", "7:0"), ("loop/backing_file", "/home/user/my disk.img"));
        Assert.Equal(
            [
                new BlockEntry("loop0", "/home/user/my_disk.img", "4096", "w", null),
                new BlockEntry("sda", "Disk_One ()", "1048576", "w", null),
                new BlockEntry("sda1", "Disk_One ()", "524288", "w", "sda"),
                new BlockEntry("sdb", "Stick ()", "4096", "r", "1-2:1.0"),
            ],
            Scan());
    }

    [Fact]
    public void What_the_host_uses_is_not_offered()
    {
        _tree.Block("a/block/sda", ("size", "8"), ("dev", "8:0"));
        _tree.Block("a/block/sda/sda1", ("size", "8"), ("dev", "8:1"), ("partition", "1"));
        _tree.Block("a/block/sda/sda2", ("size", "8"), ("dev", "8:2"), ("partition", "2"));
        _tree.Block("a/block/sdb", ("size", "8"), ("dev", "8:16"), ("holders/dm-0", "x"));
        _tree.Block("a/block/sdc", ("size", "8"), ("dev", "8:32"));
        _tree.Block("a/block/sdd", ("size", "8"), ("dev", "8:48"));
        _tree.Block("a/block/sde", ("size", "0"), ("dev", "8:64"));
        _tree.Block("virtual/block/loop0", ("size", "8"), ("dev", "7:0"));
        _tree.Block("virtual/block/loop1", ("size", "8"), ("dev", "7:1"), ("loop/backing_file", "/var/lib/qubes/appvms/work/private.img"));
        _tree.Block("virtual/block/zram0", ("size", "8"), ("dev", "252:0"));
        _tree.Write("self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:44 / /home rw shared:1 - btrfs /dev/sdc rw\n");
        _tree.Write("swaps", "Filename\tType\n/dev/sdd partition 8 0 -2\n");
        Assert.Equal(["sda2"], Scan().Select(e => e.PortId));
    }

    [Fact]
    public void A_host_without_a_system_directory_offers_nothing() => Assert.Empty(new HostBlockDevices("/nonexistent", "/nonexistent", "/var/lib/qubes").Scan());

    [Fact]
    public void A_PCI_port_is_the_way_from_the_root_bus()
    {
        (string, string)[] bridge = [("vendor", "0x8086"), ("device", "0x1234"), ("class", "0x060400"), ("secondary_bus_number", "197")];
        _tree.Device("pci0000:00/0000:00:14.0", "bus/pci/devices", ("vendor", "0x8086"), ("device", "0x8cb1"), ("class", "0x0c0330"));
        _tree.Device("pci0000:c0/0000:c0:03.5", "bus/pci/devices", bridge);
        _tree.Device("pci0000:c0/0000:c0:03.5/0000:c5:00.0", "bus/pci/devices", [.. bridge[..3], ("secondary_bus_number", "198")]);
        _tree.Device("pci0000:c0/0000:c0:03.5/0000:c5:00.0/0000:c6:00.0", "bus/pci/devices", ("vendor", "0x10de"), ("device", "0x0001"), ("class", "0x030000"));
        _tree.Device("pci0001:00/0001:00:02.0", "bus/pci/devices", ("vendor", "0x8086"), ("device", "0x0002"), ("class", "0x020000"));
        _tree.Device("pci0000:00/0000:00:15.0", "bus/pci/devices", ("vendor", "nonsense"));
        _tree.Device("elsewhere/dummy0", "bus/pci/devices");
        IReadOnlyList<PciDevice> devices = new HostPciDevices(_tree.Sys, "dom0").Scan(Names());
        Assert.Equal(
            ["00_14.0", "c0_03.5", "c0_03.5-00_00.0", "c0_03.5-00_00.0-00_00.0", "0001_00_02.0"],
            devices.Select(d => d.Info.Port.PortId));
        Assert.Equal(
            "00_14.0:0x8086:0x8cb1::p0c0330 device_id='0x8086:0x8cb1::p0c0330' port_id='00_14.0' devclass='pci' backend_domain='dom0' vendor='Intel Corporation'"
            + " product='9 Series xHCI' interfaces='p0c0330' _sbdf='0000:00:14.0'",
            DeviceInfoText.WriteLine(devices[0].Info));
        Assert.Null(devices[3].Info.Vendor);
        Assert.Equal("0000:c6:00.0", devices[3].Address.ToString());
    }

    [Fact]
    public void USB_devices_but_hubs_and_those_from_elsewhere_are_offered()
    {
        _tree.Device("pci0000:00/usb1", "bus/usb/devices", ("bDeviceClass", "09"), ("idVendor", "1d6b"));
        _tree.Device("pci0000:00/usb1/1-2", "bus/usb/devices", ("bDeviceClass", "00"), ("idVendor", "046d"), ("idProduct", "c52b"),
            ("manufacturer", "Logi tech"), ("product", "USB/Receiver"),
            ("1-2:1.1/bInterfaceClass", "03"), ("1-2:1.1/bInterfaceSubClass", "01"), ("1-2:1.1/bInterfaceProtocol", "02"),
            ("1-2:1.0/bInterfaceClass", "03"), ("1-2:1.0/bInterfaceSubClass", "01"), ("1-2:1.0/bInterfaceProtocol", "01"));
        _tree.Device("pci0000:00/usb1/1-2/1-2:1.0", "bus/usb/devices");
        _tree.Device("pci0000:00/usb1/1-3", "bus/usb/devices", ("bDeviceClass", "09"), ("idVendor", "05e3"));
        _tree.Device("pci0000:00/usb1/1-3/1-3.4", "bus/usb/devices", ("bDeviceClass", "ef"), ("idVendor", "1050"), ("idProduct", "0407"), ("serial", "42"));
        _tree.Device("platform/vhci_hcd.0/usb3/3-1", "bus/usb/devices", ("bDeviceClass", "00"), ("idVendor", "1234"));
        Assert.Equal(
            [
                new UsbEntry("1-2", @"046d:c52b Logi\x20tech USB\x2fReceiver ", ":030101:030102:", null),
                new UsbEntry("1-3.4", "1050:0407   42", ":", null),
            ],
            new HostUsbDevices(_tree.Sys).Scan());
        Assert.Empty(new HostUsbDevices("/nonexistent").Scan());
    }

    [Fact]
    public void The_data_base_of_names_is_read_past_what_is_not_wanted()
    {
        HardwareNames names = Names();
        Assert.Equal("Intel Corporation", names.Vendor(0x8086));
        Assert.Equal("9 Series xHCI", names.Product(0x8086, 0x8cb1));
        Assert.Null(names.Product(0x8086, 0x0001));
        Assert.Null(names.Vendor(0x000c));
    }

    public void Dispose() => _tree.Dispose();

    private static HardwareNames Names()
    {
        using StringReader text = new("# comment\n\n0001  SafeNet\n8086  Intel Corporation\n\t8cb1  9 Series xHCI\n\t\t1234 5678  A subsystem\n\tbad\nC 0c  Serial bus\n\t03  USB\n000c  After\n");
        return HardwareNames.Read(text);
    }

    private IReadOnlyList<BlockEntry> Scan() => new HostBlockDevices(_tree.Sys, _tree.Proc, "/var/lib/qubes").Scan();
}
