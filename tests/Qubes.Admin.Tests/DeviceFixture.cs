using Qubes.Model.Classes;
using Qubes.Protocol.Devices;
using Qubes.Testing;

namespace Qubes.Admin.Tests;

/// <summary>The API with a class of devices in memory; <c>work</c> and <c>sys-usb</c>, which has the devices, are running.</summary>
internal sealed class DeviceFixture : IAsyncDisposable
{
    private readonly MemoryDeviceSource _source;

    private DeviceFixture(AdminFixture fixture, string deviceClass)
    {
        Fixture = fixture;
        _source = new MemoryDeviceSource(deviceClass);
    }

    public AdminFixture Fixture { get; }

    public static async Task<DeviceFixture> StartAsync(string deviceClass)
    {
        DeviceFixture devices = new(await AdminFixture.StartAsync(), deviceClass);
        await devices.Fixture.AddQubeAsync("sys-usb");
        await devices.Fixture.OnLoopAsync(app =>
        {
            app.Devices.Register(devices._source);
            ((QubesVM)app.Domains["sys-usb"]).Runtime.State = PowerState.Running;
            ((QubesVM)app.Domains["work"]).Runtime.State = PowerState.Running;
        });
        return devices;
    }

    public Task<DeviceInfo> PutAsync(string port, string id = "dead:beef", string interfaces = "b******") =>
        Fixture.OnLoopAsync(_ => _source.Put("sys-usb", port, id, interfaces));

    public async Task AssignAsync(string port, string mode = "auto-attach") => Assert.Equal("0\0",
        await Fixture.CallAsync($"admin.vm.device.{_source.DeviceClass}.Assign", $"sys-usb+{port}", "work", $"mode='{mode}'"));

    public async Task AttachAsync(string port) => Assert.Equal("0\0",
        await Fixture.CallAsync($"admin.vm.device.{_source.DeviceClass}.Attach", $"sys-usb+{port}", "work"));

    public ValueTask DisposeAsync() => Fixture.DisposeAsync();
}
