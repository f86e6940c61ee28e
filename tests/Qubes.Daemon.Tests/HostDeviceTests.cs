using Qubes.Daemon.Tests.Extensions;
using Qubes.Linux;

namespace Qubes.Daemon.Tests;

public sealed class HostDeviceTests
{
    [Fact]
    public async Task A_disk_of_the_host_is_told_as_it_comes_and_goes_without_anybody_asking()
    {
        using ScratchRoot root = new();
        string image = Path.Combine(root.Path, "image");
        await using (FileStream content = new(image, FileMode.Create, FileAccess.Write))
        {
            content.SetLength(1 << 20);
        }

        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        using EventStream events = await EventStream.OpenAsync(daemon.Paths.AdminSocket);
        CapturedProcess made = await LosetupAsync("--find", "--show", image);
        Assert.SkipUnless(made.Exit.IsSuccess, "Loop devices cannot be made here: " + made.ErrorText);
        string node = made.OutputText.Trim();
        string port = "dom0:" + Path.GetFileName(node);
        try
        {
            string seen = await events.ReadUntilAsync($"dom0\0device-added:block\0device\0{port}:");
            Assert.Contains("dom0\0device-list-change:block\0\0", seen, StringComparison.Ordinal);
        }
        finally
        {
            await LosetupAsync("--detach", node);
        }

        await events.ReadUntilAsync($"dom0\0device-removed:block\0port\0{port}\0");
    }

    private static Task<CapturedProcess> LosetupAsync(params string[] arguments) => ProcessCapture.RunAsync(
        new ChildProcessOptions { FileName = "/sbin/losetup", Arguments = arguments }, timeout: QubesdProcess.Patience);
}
