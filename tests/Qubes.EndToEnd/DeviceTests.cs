using Qubes.EndToEnd.Hosts;
using Qubes.Linux;

namespace Qubes.EndToEnd;

/// <summary>Block devices of the host in real guests.</summary>
[Collection(HostCollection.Name)]
public sealed class DeviceTests(RunningHost running)
{
    private const string ReadDisk = "dd if=/dev/disk/by-id/virtio-xvdi bs=5 count=1 2>/dev/null || for s in /sys/block/vd*/serial; do grep -q '^xvdi' $s "
        + "&& n=${s%/serial} && dd if=/dev/${n##*/} bs=5 count=1 2>/dev/null; done; true";

    [Fact]
    public async Task A_file_of_the_host_comes_to_a_running_guest_and_leaves_it()
    {
        ScratchHost host = running.Host;
        string image = Path.Combine(host.Root, "plugged.img");
        await using (FileStream file = File.Create(image))
        {
            file.SetLength(1 << 20);
            await file.WriteAsync("hello"u8.ToArray(), TestContext.Current.CancellationToken);
        }

        CapturedProcess loop = await ProcessCapture.RunAsync(
            new ChildProcessOptions { FileName = "/sbin/losetup", Arguments = ["--find", "--show", image] }, timeout: ScratchHost.Patience);
        Assert.SkipUnless(loop.Exit.IsSuccess, "Loop devices cannot be made here: " + loop.ErrorText);
        string port = Path.GetFileName(loop.OutputText.Trim());
        try
        {
            Assert.Contains($"dom0:{port} ", (await host.RunAsync("qvm-block", "list", "dom0")).Expect().Output, StringComparison.Ordinal);
            (await host.RunAsync("qvm-block", "attach", "--ro", "work", $"dom0:{port}")).Expect();
            Assert.Contains("work (attached: frontend-dev=xvdi, read-only=yes)", (await host.RunAsync("qvm-block", "list", "work")).Expect().Output, StringComparison.Ordinal);
            Assert.Equal("hello", (await host.InQubeAsync("work", ReadDisk, "root")).Expect().Output);

            Assert.Equal(0, await host.StopDaemonAsync());
            await host.StartDaemonAsync();
            Assert.Contains("work (attached", (await host.RunAsync("qvm-block", "list", "work")).Expect().Output, StringComparison.Ordinal);
            (await host.RunAsync("qvm-block", "detach", "work", $"dom0:{port}")).Expect();
            Assert.DoesNotContain("attached", (await host.RunAsync("qvm-block", "list", "work")).Expect().Output, StringComparison.Ordinal);
        }
        finally
        {
            await ProcessCapture.RunAsync(new ChildProcessOptions { FileName = "/sbin/losetup", Arguments = ["--detach", "/dev/" + port] }, timeout: ScratchHost.Patience);
        }
    }
}
