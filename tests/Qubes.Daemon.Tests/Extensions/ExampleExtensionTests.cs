namespace Qubes.Daemon.Tests.Extensions;

/// <summary>The worked examples, run by the real daemon.</summary>
public sealed class ExampleExtensionTests
{
    [Theory]
    [InlineData("lamp")]
    [InlineData("beacon")]
    public async Task An_example_publishes_devices_refuses_a_start_and_reacts_to_a_property(string example)
    {
        using ScratchRoot root = new();
        root.AddExtension(example, example == "lamp" ? ExtensionRoot.Copy(root, "lamp.py") : BeaconProgram(), $"argument = {example}");
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();

        Assert.Contains(example + "\n", await daemon.CallAsync("admin.deviceclass.List"), StringComparison.Ordinal);

        using EventStream events = await EventStream.OpenAsync(daemon.Paths.AdminSocket);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.property.Set", "label", "work", "green"));
        await events.ReadUntilAsync($"domain-feature-set:{example}-label\0feature\0{example}-label\0value\0green\0\0");

        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.tag.Set", "locked", "work"));
        Assert.Equal("2\0QubesVMError\0\0Qube work is locked\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.tag.Remove", "locked", "work"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));

        Assert.Contains("0\0desk:0001:0002:lamp ", await daemon.CallAsync($"admin.vm.device.{example}.Available"), StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync($"admin.vm.device.{example}.Attach", "dom0+desk", "work"));
        await events.ReadUntilAsync($"device-attach:{example}\0device\0dom0:desk:0001:0002:lamp\0options\0{{'brightness': '50'}}\0");
        Assert.Equal("0\0", await daemon.CallAsync($"admin.vm.device.{example}.Detach", "dom0+desk", "work"));
        Assert.True((await daemon.Process.StopAsync()).IsSuccess, await daemon.Process.ReadLogAsync());
    }

    private static string BeaconProgram()
    {
        DirectoryInfo output = new(AppContext.BaseDirectory.TrimEnd('/'));
        string root = output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
        string program = Path.Combine(root, "examples/extensions/csharp/bin", output.Parent.Name, output.Name, "beacon");
        File.SetUnixFileMode(program, File.GetUnixFileMode(program) & ~(UnixFileMode.GroupWrite | UnixFileMode.OtherWrite));
        return program;
    }
}
