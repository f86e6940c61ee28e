namespace Qubes.Admin.Tests.Calls;

public sealed class DeniedInterfaceCallTests
{
    private const string Attach = "admin.vm.device.usb.Attach";

    [Fact]
    public async Task Admin_vm_device_denied_List()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.device.denied.List", destination: "work"));
        await fixture.CallAsync("admin.vm.property.Set", "devices_denied", "work", "u03****b******");
        Assert.Equal("0\0b******\nu03****", await fixture.CallAsync("admin.vm.device.denied.List", destination: "work"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.device.denied.List"));
    }

    [Fact]
    public async Task Admin_vm_device_denied_Add()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.device.denied.Add", destination: "work", payload: "u03****b******"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.device.denied.Add", destination: "work", payload: "b******p02****"));
        Assert.Equal("0\0b******\np02****\nu03****", await fixture.CallAsync("admin.vm.device.denied.List", destination: "work"));
        Assert.Equal(2, fixture.Commits);
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.device.denied.Add", destination: "work", payload: "b******"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.device.denied.Add", destination: "work"));
        Assert.Equal(2, fixture.Commits);
    }

    [Theory]
    [InlineData("admin.vm.device.denied.Add", "b******b******", "ProtocolError\0\0Duplicated device interfaces in payload.")]
    [InlineData("admin.vm.device.denied.Remove", "b******b******", "ProtocolError\0\0Duplicated device interfaces in payload.")]
    [InlineData("admin.vm.device.denied.Add", "b*****", "QubesValueError\0\0Invalid length of interfaces='b*****' (is 6, expected multiple of 7)")]
    [InlineData("admin.vm.device.denied.Remove", "b*****", "QubesValueError\0\0Invalid length of interfaces='b*****' (is 6, expected multiple of 7)")]
    [InlineData("admin.vm.device.denied.Add", "b*****\u00e4", "ProtocolError\0\0Device interface contains non-ASCII characters")]
    [InlineData("admin.vm.device.denied.Remove", "b*****\u00e4", "ProtocolError\0\0Device interface contains non-ASCII characters")]
    [InlineData("admin.vm.device.denied.Add", "x******", "QubesPropertyValueError\0\0Invalid interface encoding: 'x******'")]
    [InlineData("admin.vm.device.denied.Add", "u03AB**", "QubesPropertyValueError\0\0Invalid interface encoding: 'u03AB**'")]
    public async Task What_is_no_list_of_interfaces_is_refused(string method, string payload, string expected)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal($"2\0{expected}\0", await fixture.CallAsync(method, destination: "work", payload: payload));
        Assert.Equal(0, fixture.Commits);
    }

    [Fact]
    public async Task Admin_vm_device_denied_Remove()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.property.Set", "devices_denied", "work", "u03****b******p02****");
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.device.denied.Remove", destination: "work", payload: "b******m******"));
        Assert.Equal("0\0p02****\nu03****", await fixture.CallAsync("admin.vm.device.denied.List", destination: "work"));
        Assert.Equal(2, fixture.Commits);
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.device.denied.Remove", destination: "work", payload: "m******"));
        Assert.Equal(2, fixture.Commits);
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.device.denied.Remove", destination: "work", payload: "all"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.device.denied.List", destination: "work"));
    }

    [Theory]
    [InlineData("manual")]
    [InlineData("auto-attach")]
    [InlineData("required")]
    public async Task A_denied_interface_cannot_be_attached_whatever_mode_is_said(string mode)
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync("usb");
        await devices.PutAsync("1-1", interfaces: "u080650u030101");
        await devices.Fixture.CallAsync("admin.vm.device.denied.Add", destination: "work", payload: "u03**01");
        Assert.Equal("2\0PermissionDenied\0\0Device exposes a banned interface: u030101\0",
            await devices.Fixture.CallAsync(Attach, "sys-usb+1-1+dead+beef", "work", $"mode='{mode}'"));
        Assert.Equal("0\0", await devices.Fixture.CallAsync("admin.vm.device.usb.Attached", destination: "work"));
    }

    [Fact]
    public async Task A_device_that_is_not_known_in_full_cannot_be_attached_where_interfaces_are_denied()
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync("usb");
        await devices.PutAsync("1-1");
        await devices.Fixture.CallAsync("admin.vm.device.denied.Add", destination: "work", payload: "u03**01");
        Assert.Equal("2\0PermissionDenied\0\0Could not load interfaces to verify against denied list\0",
            await devices.Fixture.CallAsync(Attach, "sys-usb+1-1", "work"));
        Assert.Equal("0\0", await devices.Fixture.CallAsync(Attach, "sys-usb+1-1+dead+beef", "work"));
    }
}
