using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Events;
using Qubes.Protocol.Devices;
using Qubes.Testing;

namespace Qubes.Admin.Tests.Calls;

public sealed class DeviceCallTests
{
    private const string ThingRecord = "device_id='dead:beef' port_id='1-1' devclass='{0}' backend_domain='sys-usb' vendor='Acme' product='Thing'";

    [Fact]
    public async Task Admin_deviceclass_List()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.deviceclass.List"));
        await fixture.OnLoopAsync(app =>
        {
            app.Devices.Register(new MemoryDeviceSource("usb"));
            app.Devices.Register(new MemoryDeviceSource("block"));
        });
        Assert.Equal("0\0block\nusb\n", await fixture.CallAsync("admin.deviceclass.List"));
    }

    [Theory]
    [InlineData("admin.vm.device.block.Available", "block")]
    [InlineData("admin.vm.device.mic.Available", "mic")]
    [InlineData("admin.vm.device.pci.Available", "pci")]
    [InlineData("admin.vm.device.usb.Available", "usb")]
    [InlineData("admin.vm.device.testclass.Available", "testclass")]
    public async Task What_a_qube_offers_is_listed_by_port(string method, string deviceClass)
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync(deviceClass);
        await devices.PutAsync("1-2", "x");
        await devices.PutAsync("1-1");
        string first = "1-1:dead:beef " + Format(ThingRecord, deviceClass) + " interfaces='b******'\n";
        Assert.Equal("0\0" + first + "1-2:x device_id='x' port_id='1-2'" + Format(" devclass='{0}' backend_domain='sys-usb' vendor='Acme' product='Thing' interfaces='b******'\n", deviceClass),
            await devices.Fixture.CallAsync(method, destination: "sys-usb"));
        Assert.Equal("0\0" + first, await devices.Fixture.CallAsync(method, "1-1", "sys-usb"));
        Assert.Equal("0\0", await devices.Fixture.CallAsync(method, "1-3", "sys-usb"));
        Assert.Equal("0\0", await devices.Fixture.CallAsync(method, destination: "work"));
    }

    [Theory]
    [InlineData("admin.vm.device.block.Assign", "block")]
    [InlineData("admin.vm.device.mic.Assign", "mic")]
    [InlineData("admin.vm.device.pci.Assign", "pci")]
    [InlineData("admin.vm.device.usb.Assign", "usb")]
    [InlineData("admin.vm.device.testclass.Assign", "testclass")]
    public async Task An_assignment_is_kept_and_saved(string method, string deviceClass)
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync(deviceClass);
        AdminFixture fixture = devices.Fixture;
        Assert.Equal("0\0", await fixture.CallAsync(method, "sys-usb+1-1", "work", "mode='auto-attach' frontend_domain='work' _read-only='yes'"));
        Assert.Equal(1, fixture.Commits);
        Assert.Equal(
            $"0\0sys-usb+1-1:* device_id='*' port_id='1-1' devclass='{deviceClass}' backend_domain='sys-usb' mode='auto-attach' frontend_domain='work' _read-only='yes'\n",
            await fixture.CallAsync($"admin.vm.device.{deviceClass}.Assigned", destination: "work"));
        Assert.Equal("2\0DeviceAlreadyAssigned\0\0" + $"'{deviceClass} device sys-usb:1-1:* already assigned to work'\0",
            await fixture.CallAsync(method, "sys-usb+1-1", "work", "mode='required'"));
        Assert.Equal("2\0QubesValueError\0\0Only devices that attach automatically can be assigned\0",
            await fixture.CallAsync(method, "sys-usb+1-2", "work", "mode='manual'"));
        Assert.Equal("2\0ProtocolError\0\0expected payload\0", await fixture.CallAsync(method, "sys-usb+1-2", "work"));
        Assert.Equal("2\0ProtocolError\0\0expected an argument\0", await fixture.CallAsync(method, "", "work", "mode='required'"));
        Assert.Equal(1, fixture.Commits);
    }

    [Theory]
    [InlineData("nonsense", "mode='required'", "ProtocolError\0\0device argument must have the form BACKEND+PORT or BACKEND+PORT+DEVICEID")]
    [InlineData("nobody+1-1", "mode='required'", "QubesVMNotFoundError\0\0No such domain: 'nobody'")]
    [InlineData("_+1-1", "mode='required'", "ProtocolError\0\0Cannot determine backend domain")]
    [InlineData("sys-usb+1-1", "mode='required' read-only='yes'", "ProtocolError\0\0Unexpected property of an assignment: 'read-only'")]
    [InlineData("sys-usb+1-1", "mode='sometimes'", "ProtocolError\0\0'sometimes' is not a valid AssignmentMode")]
    [InlineData("sys-usb+1-1", "mode='required", "ProtocolError\0\0Malformed device record: the last value has no end")]
    [InlineData("sys-usb+1-1", "mode='required' port_id='1-2'", "ProtocolError\0\0Unexpected port: 1-2, expected 1-1")]
    [InlineData("sys-usb+1-1", "mode='required' frontend_domain='debian'", "ProtocolError\0\0frontend_domain is not the qube the call is for")]
    [InlineData("sys-usb+1-1", "mode='required' _o='\u00e4'", "ProtocolError\0\0Device record contains non-ASCII characters")]
    public async Task An_assignment_that_makes_no_sense_is_refused(string argument, string payload, string expected)
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync("block");
        Assert.Equal($"2\0{expected}\0", await devices.Fixture.CallAsync("admin.vm.device.block.Assign", argument, "work", payload));
        Assert.Equal(0, devices.Fixture.Commits);
        Assert.Equal("0\0", await devices.Fixture.CallAsync("admin.vm.device.block.Assigned", destination: "work"));
    }

    [Fact]
    public async Task An_assignment_that_cannot_be_saved_is_not_made()
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync("block");
        devices.Fixture.DiskIsFull = true;
        Assert.StartsWith("2\0QubesException\0", await devices.Fixture.CallAsync("admin.vm.device.block.Assign", "sys-usb+1-1", "work", "mode='required'"),
            StringComparison.Ordinal);
        Assert.Equal("0\0", await devices.Fixture.CallAsync("admin.vm.device.block.Assigned", destination: "work"));
    }

    [Theory]
    [InlineData("admin.vm.device.block.Assigned", "block")]
    [InlineData("admin.vm.device.mic.Assigned", "mic")]
    [InlineData("admin.vm.device.pci.Assigned", "pci")]
    [InlineData("admin.vm.device.usb.Assigned", "usb")]
    [InlineData("admin.vm.device.testclass.Assigned", "testclass")]
    public async Task Assignments_are_listed_sorted_and_by_port(string method, string deviceClass)
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync(deviceClass);
        await devices.Fixture.OnLoopAsync(app =>
        {
            LocalQube work = (LocalQube)app.Domains["work"];
            foreach (string port in new[] { "00_1f.0", "00_02.0" })
            {
                work.Devices.Load(new DeviceAssignment
                {
                    DeviceClass = deviceClass, Backend = "dom0", Port = port, DeviceId = "*", Mode = "required", Options = [new("no-strict-reset", "it's")],
                });
            }
        });
        string tail = $@" devclass='{deviceClass}' backend_domain='dom0' mode='required' frontend_domain='work' _no-strict-reset='it\'s'";
        Assert.Equal($"0\0dom0+00_02.0:* device_id='*' port_id='00_02.0'{tail}\ndom0+00_1f.0:* device_id='*' port_id='00_1f.0'{tail}\n",
            await devices.Fixture.CallAsync(method, destination: "work"));
        Assert.Equal($"0\0dom0+00_1f.0:* device_id='*' port_id='00_1f.0'{tail}\n", await devices.Fixture.CallAsync(method, "dom0+00_1f.0", "work"));
        Assert.StartsWith("2\0ProtocolError\0", await devices.Fixture.CallAsync(method, "nonsense", "work"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("admin.vm.device.block.Unassign", "block")]
    [InlineData("admin.vm.device.mic.Unassign", "mic")]
    [InlineData("admin.vm.device.pci.Unassign", "pci")]
    [InlineData("admin.vm.device.usb.Unassign", "usb")]
    [InlineData("admin.vm.device.testclass.Unassign", "testclass")]
    public async Task An_assignment_is_removed_and_that_saved(string method, string deviceClass)
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync(deviceClass);
        AdminFixture fixture = devices.Fixture;
        await devices.AssignAsync("1-1");
        Assert.Equal("0\0", await fixture.CallAsync(method, "sys-usb+1-1", "work"));
        Assert.Equal(2, fixture.Commits);
        Assert.Equal("0\0", await fixture.CallAsync($"admin.vm.device.{deviceClass}.Assigned", destination: "work"));
        Assert.Equal($"2\0DeviceNotAssigned\0\0'{deviceClass} device sys-usb:1-1:* not assigned to work'\0", await fixture.CallAsync(method, "sys-usb+1-1", "work"));
        Assert.StartsWith("2\0ProtocolError\0", await fixture.CallAsync(method, "nonsense", "work"), StringComparison.Ordinal);
        Assert.Equal("2\0QubesVMNotFoundError\0\0No such domain: 'nobody'\0", await fixture.CallAsync(method, "nobody+1-1", "work"));
    }

    [Theory]
    [InlineData("admin.vm.device.block.Attach", "block")]
    [InlineData("admin.vm.device.mic.Attach", "mic")]
    [InlineData("admin.vm.device.pci.Attach", "pci")]
    [InlineData("admin.vm.device.usb.Attach", "usb")]
    [InlineData("admin.vm.device.testclass.Attach", "testclass")]
    public async Task A_device_is_attached_and_nothing_saved(string method, string deviceClass)
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync(deviceClass);
        AdminFixture fixture = devices.Fixture;
        await devices.PutAsync("1-1");
        Assert.Equal("2\0QubesVMNotRunningError\0\0VM not running, cannot attach device, do you mean `assign`?\0",
            await fixture.CallAsync(method, "sys-usb+1-1", "debian"));
        Assert.Equal($"2\0ProtocolError\0\0Cannot attach ambiguous {deviceClass} device.\0", await fixture.CallAsync(method, "sys-usb+1-2", "work"));
        Assert.Equal($"2\0ProtocolError\0\0Cannot attach ambiguous {deviceClass} device.\0", await fixture.CallAsync(method, "sys-usb+1-1+other", "work"));
        Assert.Equal("2\0QubesVMNotFoundError\0\0No such domain: 'nobody'\0", await fixture.CallAsync(method, "nobody+1-1", "work"));
        Assert.StartsWith("2\0ProtocolError\0", await fixture.CallAsync(method, "nonsense", "work"), StringComparison.Ordinal);
        Assert.Equal("0\0", await fixture.CallAsync(method, "sys-usb+1-1+dead+beef", "work", "mode='manual' _a='b'"));
        Assert.Equal($"2\0DeviceAlreadyAttached\0\0'device sys-usb:1-1:dead:beef of class {deviceClass} already attached to work'\0",
            await fixture.CallAsync(method, "sys-usb+1-1", "work"));
        Assert.Equal(0, fixture.Commits);
    }

    [Theory]
    [InlineData("admin.vm.device.block.Attached", "block")]
    [InlineData("admin.vm.device.mic.Attached", "mic")]
    [InlineData("admin.vm.device.pci.Attached", "pci")]
    [InlineData("admin.vm.device.usb.Attached", "usb")]
    [InlineData("admin.vm.device.testclass.Attached", "testclass")]
    public async Task What_is_attached_is_listed(string method, string deviceClass)
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync(deviceClass);
        AdminFixture fixture = devices.Fixture;
        await devices.PutAsync("1-1");
        Assert.Equal("0\0", await fixture.CallAsync(method, destination: "work"));
        await devices.AttachAsync("1-1");
        string line = $"sys-usb+1-1:dead:beef device_id='dead:beef' port_id='1-1' devclass='{deviceClass}' backend_domain='sys-usb' mode='manual' frontend_domain='work'\n";
        Assert.Equal("0\0" + line, await fixture.CallAsync(method, destination: "work"));
        Assert.Equal("0\0" + line, await fixture.CallAsync(method, "sys-usb+1-1", "work"));
        Assert.Equal("0\0", await fixture.CallAsync(method, "sys-usb+1-2", "work"));
        Assert.StartsWith("2\0ProtocolError\0", await fixture.CallAsync(method, "nonsense", "work"), StringComparison.Ordinal);
        Assert.Contains(" attachment='work' ", await fixture.CallAsync($"admin.vm.device.{deviceClass}.Available", destination: "sys-usb"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("admin.vm.device.block.Detach", "block")]
    [InlineData("admin.vm.device.mic.Detach", "mic")]
    [InlineData("admin.vm.device.pci.Detach", "pci")]
    [InlineData("admin.vm.device.usb.Detach", "usb")]
    [InlineData("admin.vm.device.testclass.Detach", "testclass")]
    public async Task A_device_is_detached_by_its_port(string method, string deviceClass)
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync(deviceClass);
        AdminFixture fixture = devices.Fixture;
        await devices.PutAsync("1-1");
        Assert.Equal($"2\0DeviceNotAssigned\0\0'{deviceClass} device sys-usb:1-1 not attached to work'\0", await fixture.CallAsync(method, "sys-usb+1-1", "work"));
        await devices.AttachAsync("1-1");
        await devices.AssignAsync("1-1", "required");
        Assert.Equal("2\0QubesVMNotHaltedError\0\0Can not detach a required device from a non halted qube. You need to unassign device first.\0",
            await fixture.CallAsync(method, "sys-usb+1-1", "work"));
        await fixture.CallAsync($"admin.vm.device.{deviceClass}.Unassign", "sys-usb+1-1", "work");
        Assert.Equal("0\0", await fixture.CallAsync(method, "sys-usb+1-1+any+thing", "work"));
        Assert.Equal("0\0", await fixture.CallAsync($"admin.vm.device.{deviceClass}.Attached", destination: "work"));
        Assert.Equal("2\0QubesVMNotFoundError\0\0No such domain: 'nobody'\0", await fixture.CallAsync(method, "nobody+1-1", "work"));
        Assert.StartsWith("2\0ProtocolError\0", await fixture.CallAsync(method, "nonsense", "work"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("admin.vm.device.block.Set.assignment", "block")]
    [InlineData("admin.vm.device.mic.Set.assignment", "mic")]
    [InlineData("admin.vm.device.pci.Set.assignment", "pci")]
    [InlineData("admin.vm.device.usb.Set.assignment", "usb")]
    [InlineData("admin.vm.device.testclass.Set.assignment", "testclass")]
    public async Task The_mode_of_an_assignment_is_changed(string method, string deviceClass)
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync(deviceClass);
        AdminFixture fixture = devices.Fixture;
        await devices.AssignAsync("1-1");
        foreach (string mode in new[] { "required", "ask-to-attach", "auto-attach" })
        {
            Assert.Equal("0\0", await fixture.CallAsync(method, "sys-usb+1-1", "work", mode));
            Assert.Contains($" mode='{mode}' ", await fixture.CallAsync($"admin.vm.device.{deviceClass}.Assigned", destination: "work"), StringComparison.Ordinal);
        }

        Assert.Equal(4, fixture.Commits);
        foreach (string mode in new[] { "manual", "True", "required ", "\u00e4" })
        {
            Assert.Equal("2\0QubesUnrecognizedDeviceAssignmentMode\0\0Invalid assignment mode\0", await fixture.CallAsync(method, "sys-usb+1-1", "work", mode));
        }

        Assert.Equal("2\0QubesValueError\0\0Device sys-usb:1-2:* not assigned to work\0", await fixture.CallAsync(method, "sys-usb+1-2", "work", "required"));
        Assert.Equal("2\0QubesVMNotFoundError\0\0No such domain: 'nobody'\0", await fixture.CallAsync(method, "nobody+1-1", "work", "required"));
        Assert.StartsWith("2\0ProtocolError\0", await fixture.CallAsync(method, "nonsense", "work", "required"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_calls_of_a_class_go_with_its_source()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        const string refusal = "2\0ProtocolError\0\0no such method: 'admin.vm.device.testclass.Available'\0";
        Assert.Equal(refusal, await fixture.CallAsync("admin.vm.device.testclass.Available"));
        IDisposable registration = await fixture.OnLoopAsync(app => app.Devices.Register(new MemoryDeviceSource("testclass")));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.device.testclass.Available"));
        await fixture.OnLoopAsync(_ => registration.Dispose());
        Assert.Equal(refusal, await fixture.CallAsync("admin.vm.device.testclass.Available"));
    }

    [Fact]
    public async Task Handlers_of_the_permission_are_shown_what_is_known_of_the_device()
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync("usb");
        List<string> seen = [];
        await devices.PutAsync("1-1");
        await devices.Fixture.OnLoopAsync(app => app.Events.On(EmitterClass.AdminVM, "admin-permission:admin.vm.device.usb.*", happened =>
            seen.Add($"{happened.Name.Split('.')[^1]} {happened.Arguments["device"]?.GetType().Name} {happened.Arguments["mode"]}")));
        await devices.Fixture.CallAsync("admin.vm.device.usb.Attach", "sys-usb+1-1+dead+beef", "work");
        await devices.Fixture.CallAsync("admin.vm.device.usb.Assign", "sys-usb+1-1", "work", "mode='required'");
        Assert.Equal([$"Attach {nameof(DeviceInfo)} manual", $"Assign {nameof(VirtualDevice)} required"], seen);
    }

    private static string Format(string format, string deviceClass) => format.Replace("{0}", deviceClass, StringComparison.Ordinal);
}
