namespace Qubes.Tools.Tests;

public sealed class DeviceToolTests : ToolHarness
{
    private const string Disk = "sda::None device_id=':None' port_id='sda' devclass='block' backend_domain='dom0' serial='Stick' interfaces='b******'\n";
    private const string Payload = "device_id=':None' port_id='sda' devclass='block' backend_domain='dom0' mode=";

    public DeviceToolTests()
    {
        Daemon.Answer("admin.vm.List+ dom0", ThreeQubes).Answer("admin.deviceclass.List+ dom0", "pci\nblock\n")
            .Answer("admin.vm.device.block.Available+ dom0", Disk)
            .Answer("admin.vm.device.denied.List+ work", "").Answer("admin.vm.CurrentState+ work", "mem=0 mem_static_max=0 cputime=0 power_state=Halted");
        foreach (string qube in new[] { "dom0", "tmpl", "work" })
        {
            Daemon.Answer($"admin.vm.device.block.Attached+ {qube}", "").Answer($"admin.vm.device.block.Assigned+ {qube}", "");
        }

        Daemon.Answer("admin.vm.device.block.Available+ tmpl", "").Answer("admin.vm.device.block.Available+ work", "");
    }

    [Theory]
    [InlineData("qvm-device", "--list-device-classes")]
    [InlineData("qvm-block", "--list-classes")]
    public async Task The_classes_are_listed_sorted(string tool, string option)
    {
        Assert.Equal(0, await RunAsync(tool, option));
        Assert.Equal("block\npci\n", Output);
    }

    [Theory]
    [InlineData("qvm-block")]
    [InlineData("qvm-block", "list")]
    [InlineData("qvm-block", "ls", "--all")]
    [InlineData("qvm-device", "block")]
    [InlineData("qvm-device", "block", "l", "dom0")]
    public async Task Devices_are_listed_with_who_uses_them(string tool, params string[] words)
    {
        Daemon.Answer("admin.vm.device.block.Attached+ work", "dom0+sda::None device_id=':None' port_id='sda' devclass='block' backend_domain='dom0' "
            + "mode='manual' frontend_domain='work' _frontend-dev='xvdi' _read-only='no'\n");
        Assert.Equal(0, await RunAsync(tool, words));
        Assert.Equal("dom0:sda  Block_Storage: unknown vendor Stick  work (attached: frontend-dev=xvdi, read-only=no)\n", Output);
    }

    [Fact]
    public async Task Assignments_are_rows_of_their_own()
    {
        Daemon.Answer("admin.vm.device.block.Assigned+ work", "dom0+sda:* device_id='*' port_id='sda' devclass='block' backend_domain='dom0' "
            + "mode='auto-attach' frontend_domain='work' _read-only='yes'\n");
        Assert.Equal(0, await RunAsync("qvm-block", "list", "-s"));
        Assert.Equal(
            "dom0:sda  Block_Storage: unknown vendor Stick  \n"
            + "dom0:sda  any device                           *work (auto-attach: read-only=yes)\n", Output);
    }

    [Fact]
    public async Task What_another_qube_has_is_shown_where_it_is_asked_for()
    {
        Daemon.Answer("admin.vm.device.block.Attached+ work", "dom0+sda::None device_id=':None' port_id='sda' devclass='block' backend_domain='dom0' "
            + "mode='manual' frontend_domain='work'\n");
        Assert.Equal(0, await RunAsync("qvm-block", "list", "work"));
        Assert.Equal("dom0:sda  Block_Storage: unknown vendor Stick  work (attached)\n", Output);
        Assert.Equal(0, await RunAsync("qvm-block", "list", "tmpl"));
        Assert.Equal("", Output);
    }

    [Fact]
    public async Task Addresses_of_PCI_devices_are_shown_on_request()
    {
        Daemon.Answer("admin.vm.device.pci.Available+ dom0", "00_14.0:0x8086:0x8cb1::p0c0330 device_id='0x8086:0x8cb1::p0c0330' port_id='00_14.0' devclass='pci' "
            + "backend_domain='dom0' vendor='Intel' product='xHCI' interfaces='p0c0330' _sbdf='0000:00:14.0'\n");
        foreach (string qube in new[] { "dom0", "tmpl", "work" })
        {
            Daemon.Answer($"admin.vm.device.pci.Attached+ {qube}", "");
        }

        Assert.Equal(0, await RunAsync("qvm-pci", "list", "--with-sbdf", "dom0"));
        Assert.Equal("dom0:00_14.0  0000:00:14.0  PCI_USB: Intel xHCI  \n", Output);
        Assert.Equal(0, await RunAsync("qvm-pci", "info", "dom0:00_14.0"));
        Assert.Equal("PCI_USB: Intel xHCI\ndevice ID: 0x8086:0x8cb1::p0c0330\nsbdf: 0000:00:14.0\n", Output);
        Assert.Equal(1, await RunAsync("qvm-pci", "info", "dom0:00_15.0"));
        Assert.Equal("Error: dom0:00_15.0 not found.\n", Error);
    }

    [Fact]
    public async Task A_class_that_cannot_be_listed_is_named()
    {
        Daemon.Fail("admin.vm.device.webcam.Available+ dom0", "ProtocolError", "no such method: 'admin.vm.device.webcam.Available'");
        Assert.Equal(1, await RunAsync("qvm-device", "webcam", "list", "dom0"));
        Assert.Equal("Error: Failed to list 'webcam' devices, this device type either does not exist or you do not have access to it.\n", Error);
    }

    [Fact]
    public async Task A_device_is_attached_with_its_identity_and_options()
    {
        Daemon.Answer("admin.vm.device.block.Attach+dom0+sda++None work", "");
        Assert.Equal(0, await RunAsync("qvm-block", "attach", "-o", "frontend-dev=xvdj", "-o", "ro=no", "--ro", "work", "dom0:sda"));
        Assert.Equal([$"admin.vm.device.block.Attach+dom0+sda++None work {Payload}'manual' frontend_domain='work' _frontend-dev='xvdj' _read-only='yes'"],
            Calls("admin.vm.device.block.Attach+"));
    }

    [Theory]
    [InlineData(1, "qvm-block: error: backend vm dom0 doesn't expose block device 'sdb'\n", "work", "dom0:sdb")]
    [InlineData(1, "qvm-block: error: backend vm dom0 doesn't expose block device 'sda'\n", "work", "dom0:sda:other")]
    [InlineData(1, "qvm-block: error: no such backend vm!\n", "work", "nobody:sda")]
    [InlineData(2, "qvm-block: error: expected a backend vm, port id and [optional] device id combination like foo:bar[:baz] got sda\n", "work", "sda")]
    [InlineData(2, "qvm-block: error: no such domain: 'nobody'\n", "nobody", "dom0:sda")]
    [InlineData(2, "qvm-block: error: the following arguments are required: BACKEND:DEVICE_ID\n", "work")]
    [InlineData(2, "qvm-block: error: argument --option/-o: invalid value for ro: 'x'\n", "-o", "ro=x", "work", "dom0:sda")]
    [InlineData(2, "qvm-block: error: unrecognized arguments: --optio\n", "--optio", "a=b", "work", "dom0:sda")]
    public async Task Mistakes_in_attach_are_named(int status, string message, params string[] words)
    {
        Assert.Equal(status, await RunAsync("qvm-block", ["attach", .. words]));
        Assert.EndsWith(message, Error, StringComparison.Ordinal);
        Assert.Empty(Calls("admin.vm.device.block.Attach+"));
    }

    [Theory]
    [InlineData("qvm-pci", "PCI devices cannot be attached manually, did you mean `qvm-pci assign --required ...`", "attach", "work", "dom0:00_14.0")]
    [InlineData("qvm-pci", "PCI devices can only be assigned as required, see option --required.", "assign", "work", "dom0:00_14.0")]
    [InlineData("qvm-usb", "Only pci and block devices may be assigned as required.", "assign", "--required", "work", "dom0:1-1")]
    public async Task What_a_class_cannot_do_is_refused_before_the_call(string tool, string message, params string[] words)
    {
        Assert.Equal(1, await RunAsync(tool, words));
        Assert.Equal($"{tool}: error: {message}\n", Error);
        Assert.Empty(Calls("admin.vm.device."));
    }

    [Fact]
    public async Task What_the_daemon_refuses_is_an_error()
    {
        Daemon.Fail("admin.vm.device.block.Attach+dom0+sda++None work", "QubesVMNotRunningError", "VM not running, cannot attach device, do you mean `assign`?");
        Assert.Equal(1, await RunAsync("qvm-block", "a", "work", "dom0:sda"));
        Assert.Equal("Error: VM not running, cannot attach device, do you mean `assign`?\n", Error);
    }

    [Fact]
    public async Task One_device_or_all_are_detached()
    {
        Daemon.Answer("admin.vm.device.block.Detach+dom0+sda+_ work", "").Answer("admin.vm.device.block.Detach+dom0+sdb+x work", "")
            .Fail("admin.vm.device.block.Detach+dom0+sdc+_ work", "DeviceNotAssigned", "'no'")
            .Answer("admin.vm.device.block.Attached+ work", "dom0+sdb:x device_id='x' port_id='sdb' devclass='block' backend_domain='dom0' mode='manual'\n");
        Assert.Equal(0, await RunAsync("qvm-block", "detach", "work", "dom0:sda"));
        Assert.Equal(0, await RunAsync("qvm-block", "d", "work"));
        Assert.Equal(["admin.vm.device.block.Detach+dom0+sda+_ work", "admin.vm.device.block.Detach+dom0+sdb+x work"], Calls("admin.vm.device.block.Detach"));
        Assert.Equal(1, await RunAsync("qvm-block", "d", "work", "dom0:sdc"));
        Assert.Equal("Error: dom0:sdc is not attached.\n", Error);
    }

    [Theory]
    [InlineData("dom0+sda++None", "device_id=':None' port_id='sda'", "auto-attach")]
    [InlineData("dom0+sda++None", "device_id=':None' port_id='sda'", "required", "--required")]
    [InlineData("dom0+sda++None", "device_id=':None' port_id='sda'", "ask-to-attach", "--ask")]
    [InlineData("dom0+sda+_", "device_id='*' port_id='sda'", "auto-attach", "--port")]
    [InlineData("dom0+_++None", "device_id=':None' port_id='*'", "auto-attach", "--only-device")]
    public async Task An_assignment_names_port_and_identity_unless_told_otherwise(string argument, string device, string mode, params string[] options)
    {
        Daemon.Answer($"admin.vm.device.block.Assign+{argument} work", "");
        Assert.Equal(0, await RunAsync("qvm-block", ["assign", .. options, "work", "dom0:sda"]));
        Assert.Equal([$"admin.vm.device.block.Assign+{argument} work {device} devclass='block' backend_domain='dom0' mode='{mode}' frontend_domain='work'"],
            Calls("admin.vm.device.block.Assign+"));
        Assert.Equal("", Output);
    }

    [Fact]
    public async Task A_device_that_is_not_there_is_assigned_by_port_only()
    {
        Daemon.Answer("admin.vm.device.block.Assign+dom0+sdx+_ work", "");
        Assert.Equal(1, await RunAsync("qvm-block", "assign", "work", "dom0:sdx"));
        Assert.Equal(0, await RunAsync("qvm-block", "assign", "--port", "work", "dom0:sdx"));
    }

    [Fact]
    public async Task A_running_qube_gets_advice_unless_quiet()
    {
        Daemon.Answer("admin.vm.device.block.Assign+dom0+sda++None work", "").Answer("admin.vm.device.denied.List+ work", "b******")
            .Answer("admin.vm.CurrentState+ work", "power_state=Running");
        Assert.Equal(0, await RunAsync("qvm-block", "assign", "--ro", "work", "dom0:sda"));
        Assert.Equal(
            "Warning: The assigned device is on the denied list.\n         It comes by itself, but cannot be attached by hand.\n"
            + "Assigned. To attach you can now restart domain or run: \n\tqvm-block attach -o read-only=yes work dom0:sda\n", Output);
        Assert.Equal(0, await RunAsync("qvm-block", "-q", "assign", "--ro", "work", "dom0:sda"));
        Assert.Equal("", Output);
    }

    [Fact]
    public async Task Assignments_are_found_by_what_is_named()
    {
        const string tail = " devclass='block' backend_domain='dom0' mode='auto-attach'\n";
        Daemon.Answer("admin.vm.device.block.Assigned+ work",
            $"dom0+*::None device_id=':None' port_id='*'{tail}dom0+sda:* device_id='*' port_id='sda'{tail}dom0+sda::None device_id=':None' port_id='sda'{tail}")
            .Answer("admin.vm.device.block.Unassign+dom0+_++None work", "").Answer("admin.vm.device.block.Unassign+dom0+sda+_ work", "")
            .Answer("admin.vm.device.block.Unassign+dom0+sda++None work", "");
        Assert.Equal(0, await RunAsync("qvm-block", "unassign", "--port", "work", "dom0:sda"));
        Assert.Equal(0, await RunAsync("qvm-block", "unassign", "--device", "work", "dom0:sda"));
        Assert.Equal(0, await RunAsync("qvm-block", "u", "work", "dom0:sda::None"));
        Assert.Equal(["dom0+sda+_", "dom0+_++None", "dom0+sda++None"], Calls("admin.vm.device.block.Unassign").Select(c => c.Split('+', 2)[1].Split(' ')[0]));
        Assert.Equal(0, await RunAsync("qvm-block", "unassign", "work"));
        Assert.Equal(6, Calls("admin.vm.device.block.Unassign").Count());
        Assert.Equal(1, await RunAsync("qvm-block", "unassign", "work", "dom0:sdx"));
        Assert.Equal("Error: dom0:sdx:* not found.\n", Error);
    }

    [Fact]
    public async Task Unassigning_what_is_attached_gives_advice()
    {
        Daemon.Answer("admin.vm.device.block.Assigned+ work", "dom0+sda:* device_id='*' port_id='sda' devclass='block' backend_domain='dom0' mode='required'\n")
            .Answer("admin.vm.device.block.Attached+ work", "dom0+sda::None device_id=':None' port_id='sda' devclass='block' backend_domain='dom0' mode='manual'\n")
            .Answer("admin.vm.device.block.Unassign+dom0+sda+_ work", "");
        Assert.Equal(0, await RunAsync("qvm-block", "unassign", "work", "dom0:sda"));
        Assert.Equal("Unassigned. To detach you can now restart domain or run: \n\tqvm-block detach work dom0:sda\n", Output);
    }

    [Fact]
    public async Task Interfaces_are_denied_listed_and_allowed()
    {
        Daemon.Answer("admin.vm.device.denied.Add+ work", "").Answer("admin.vm.device.denied.Remove+ work", "")
            .Answer("admin.vm.device.denied.List+ work", "u03**01\nu08****");
        Assert.Equal(0, await RunAsync("qvm-usb", "deny", "work", "u03**01", "u08****"));
        Assert.Equal(0, await RunAsync("qvm-device", "usb", "allow", "work", "all"));
        Assert.Equal(0, await RunAsync("qvm-usb", "deny", "work"));
        Assert.Equal("u03**01  Keyboard\nu08****  USB_Storage\n", Output);
        Assert.Equal(2, await RunAsync("qvm-usb", "allow", "work", "u03"));
        Assert.Equal(["admin.vm.device.denied.Add+ work u03**01u08****", "admin.vm.device.denied.List+ work", "admin.vm.device.denied.Remove+ work all"],
            Calls("admin.vm.device.denied.").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_class_must_be_named()
    {
        Assert.Equal(2, await RunAsync("qvm-device"));
        Assert.EndsWith("qvm-device: error: the following arguments are required: DEVICE_CLASS\n", Error, StringComparison.Ordinal);
    }
}
