using System.Diagnostics;

namespace Qubes.Daemon.Tests.Extensions;

/// <summary>Devices that a program adds to the domains of qubes.</summary>
public sealed class DomainDeviceTests
{
    [Fact]
    public async Task What_it_names_is_in_the_domain()
    {
        using ScratchRoot root = new();
        root.AddScripted("rack", Script(new { result = new { devices = new[] { "<watchdog model='i6300esb' action='reset'/>", "<sound model='ich6'/>" } } }));
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        using EventStream events = await EventStream.OpenAsync(daemon.Paths.AdminSocket);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.tag.Set", "go", "work"));
        string seen = await events.ReadUntilAsync("]\0\0");
        Assert.Contains("<watchdog model='i6300esb' action='reset'", seen, StringComparison.Ordinal);
        Assert.Contains("<sound model='ich6'", seen, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<disk type='file'/>", "Extension 'rack' gave devices that cannot be used: a device of kind 'disk' is not for others to add")]
    [InlineData("<sound/><sound/>", "Extension 'rack' gave devices that cannot be used: the description of a device is not XML: ")]
    [InlineData("<!DOCTYPE sound><sound/>", "Extension 'rack' gave devices that cannot be used: the description of a device is not XML: ")]
    [InlineData("<sound xmlns:q='x'><q:arg/></sound>", "Extension 'rack' gave devices that cannot be used: the description of a device has names of a namespace")]
    public async Task What_is_no_device_of_its_refuses_the_start(string device, string error)
    {
        using ScratchRoot root = new();
        root.AddScripted("rack", Script(new { result = new { devices = new[] { device } } }));
        await CheckRefusedAsync(root, error);
    }

    [Fact]
    public async Task A_wrong_shape_refuses_the_start_and_so_does_an_error()
    {
        using ScratchRoot root = new();
        root.AddScripted("rack", Script(new { result = new { devices = "none" } }));
        await CheckRefusedAsync(root, "Extension 'rack' gave devices that cannot be used: 'devices' must be a list of at most 16");
        using ScratchRoot other = new();
        other.AddScripted("rack", Script(new { error = new { code = 1, message = "no slot left" } }));
        await CheckRefusedAsync(other, "no slot left");
    }

    [Theory]
    [InlineData("silence")]
    [InlineData("die")]
    public async Task Without_an_answer_there_are_none(string answer)
    {
        using ScratchRoot root = new();
        root.AddScripted("rack", Script(answer), "deadline = 200");
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        Stopwatch watch = Stopwatch.StartNew();
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        Assert.True(watch.Elapsed < QubesdProcess.Patience, $"a start took {watch.Elapsed}");
        await daemon.Process.StopAsync();
        Assert.Contains("extension rack: work starts without the devices it might have added: it ", await daemon.Process.ReadLogAsync(), StringComparison.Ordinal);
    }

    private static object Script(object answer) => new
    {
        initialize = new { domain_devices = true, subscriptions = new[] { new { @event = "domain-tag-add:go" } } },
        answers = new Dictionary<string, object> { ["domain.devices"] = answer },
        wait = "domain-tag-add:go",
        calls = new object[] { new object[] { "domain.get", new { qube = "work" } } },
    };

    private static async Task CheckRefusedAsync(ScratchRoot root, string error)
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        Assert.StartsWith("2\0QubesVMError\0\0" + error, await daemon.CallAsync("admin.vm.Start", destination: "work"), StringComparison.Ordinal);
        Assert.StartsWith("0\0work class=AppVM state=Halted", await daemon.CallAsync("admin.vm.List", destination: "work"), StringComparison.Ordinal);
    }
}
