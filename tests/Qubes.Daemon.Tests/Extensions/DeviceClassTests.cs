using Qubes.Testing;

namespace Qubes.Daemon.Tests.Extensions;

/// <summary>Calls of qubes about a device class that a program brings.</summary>
public sealed class DeviceClassTests
{
    private const string Service = "admin.vm.device.torch.Available";

    [Fact]
    public async Task Qubes_can_call_about_a_class_as_long_as_its_extension_is_there()
    {
        using ScratchRoot root = new();
        root.AddScripted("light", new { initialize = new { device_classes = new[] { "torch" } } });
        string link = Path.Combine(root.Paths.RuntimeRpcDirectory, Service);
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await daemon.CreateQubesAsync();
            await daemon.CreateQubesAsync("fedora", "mgmt");
            Assert.Equal("result=deny", await DecideAsync(daemon));
            await File.WriteAllTextAsync(Path.Combine(root.Paths.PolicyDirectory, "include/admin-local-ro"), "mgmt @anyvm allow target=dom0\n");
            Assert.StartsWith("user=DEFAULT\nresult=allow\ntarget=dom0\n", await DecideAsync(daemon), StringComparison.Ordinal);
            Assert.Equal("0\0", await RawClient.CallAsync(link, $"{Service}+ mgmt name work\0"));

            // A daemon that was killed cannot clean up: the next one does, which has the extension no more.
            await daemon.Process.KillAsync();
        }

        Assert.NotNull(new FileInfo(link).LinkTarget);
        File.Delete(Path.Combine(root.Paths.ExtensionsDirectory, "light.conf"));
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            Assert.Null(new FileInfo(link).LinkTarget);
            Assert.Equal("result=deny", await DecideAsync(daemon));
        }
    }

    [Fact]
    public async Task Links_are_gone_after_a_stop()
    {
        using ScratchRoot root = new();
        root.AddScripted("light", new { initialize = new { device_classes = new[] { "torch" } } });
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        Assert.Equal(8, Directory.GetFileSystemEntries(root.Paths.RuntimeRpcDirectory).Length);
        await daemon.Process.StopAsync();
        Assert.Empty(Directory.GetFileSystemEntries(root.Paths.RuntimeRpcDirectory));
        Assert.Empty(Directory.GetFileSystemEntries(root.Paths.RuntimePolicyDirectory));
    }

    private static Task<string> DecideAsync(RunningDaemon daemon) =>
        RawClient.CallAsync(daemon.Paths.PolicySocket, $"source=mgmt\nintended_target=work\nservice_and_arg={Service}+\n\n");
}
