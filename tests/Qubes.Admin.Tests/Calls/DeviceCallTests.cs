using Qubes.Model.Classes;
using Qubes.Model.Devices;

namespace Qubes.Admin.Tests.Calls;

public sealed class DeviceCallTests
{
    [Fact]
    public async Task Admin_deviceclass_List()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0block\npci\n", await fixture.CallAsync("admin.deviceclass.List"));
    }

    [Theory]
    [InlineData("admin.vm.device.block.Available")]
    [InlineData("admin.vm.device.block.Assigned")]
    [InlineData("admin.vm.device.block.Attached")]
    [InlineData("admin.vm.device.pci.Available")]
    [InlineData("admin.vm.device.pci.Assigned")]
    [InlineData("admin.vm.device.pci.Attached")]
    public async Task A_host_without_device_extensions_lists_no_devices(string method)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync(method, destination: "work"));
        Assert.Equal("0\0", await fixture.CallAsync(method));
    }

    [Fact]
    public async Task Assignments_of_the_store_are_listed_sorted()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.OnLoopAsync(app =>
        {
            LocalQube work = (LocalQube)app.Domains["work"];
            foreach (string port in new[] { "00_1f.0", "00_02.0" })
            {
                work.Devices.Load(new DeviceAssignment
                {
                    DeviceClass = "pci", Backend = "dom0", Port = port, DeviceId = "*", Mode = "required", Options = [new("no-strict-reset", "it's")],
                });
            }
        });
        const string tail = @" devclass='pci' backend_domain='dom0' mode='required' frontend_domain='work' _no-strict-reset='it\'s'";
        Assert.Equal($"0\0dom0+00_02.0:* device_id='*' port_id='00_02.0'{tail}\ndom0+00_1f.0:* device_id='*' port_id='00_1f.0'{tail}\n",
            await fixture.CallAsync("admin.vm.device.pci.Assigned", destination: "work"));
        Assert.Equal($"0\0dom0+00_1f.0:* device_id='*' port_id='00_1f.0'{tail}\n",
            await fixture.CallAsync("admin.vm.device.pci.Assigned", "dom0+00_1f.0", "work"));
        Assert.StartsWith("2\0ProtocolError\0", await fixture.CallAsync("admin.vm.device.pci.Assigned", "nonsense", "work"), StringComparison.Ordinal);
    }
}
