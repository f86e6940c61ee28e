using System.Text;
using System.Threading.Channels;
using CsCheck;

namespace Qubes.Linux.Tests;

public sealed class KernelEventTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static KernelEvent? Parse(string message) => KernelEvent.TryParse(Encoding.Latin1.GetBytes(message), out var happened) ? happened : null;

    [Theory]
    [InlineData("add@/devices/virtual/block/loop0\0ACTION=add\0SUBSYSTEM=block\0SEQNUM=1\0", "add", "/devices/virtual/block/loop0", "block")]
    [InlineData("remove@/a@b\0SUBSYSTEM=usb", "remove", "/a@b", "usb")]
    [InlineData("change@/a\0XSUBSYSTEM=usb\0SUBSYSTEM\0", "change", "/a", "")]
    [InlineData("change@/a\0", "change", "/a", "")]
    public void A_message_is_an_action_a_path_and_pairs(string message, string action, string path, string subsystem) =>
        Assert.Equal(new KernelEvent(action, path, subsystem), Parse(message));

    [Theory]
    [InlineData("")]
    [InlineData("add@/a")]
    [InlineData("@/a\0")]
    [InlineData("add@a\0")]
    [InlineData("add@\0")]
    [InlineData("libudev\0add@/a\0")]
    [InlineData("\u00e4@/a\0")]
    public void Anything_else_is_none(string message) => Assert.Null(Parse(message));

    [Fact]
    public void Nothing_makes_it_fail() => Gen.String[Gen.Char['\0', '\u00ff'], 0, 100].Sample(tail =>
    {
        Parse(tail);
        Assert.Equal("/a", Parse("add@/a\0SUBSYSTEM=" + tail)?.DevicePath);
    });

    [Fact]
    public async Task The_kernel_tells_of_a_loop_device_that_is_made_and_ended()
    {
        var image = Path.GetTempFileName();
        var seen = Channel.CreateUnbounded<KernelEvent?>();
        await using (FileStream content = new(image, FileMode.Open, FileAccess.Write))
            content.SetLength(1 << 20);

        using (KernelEvents.Listen(e => seen.Writer.TryWrite(e)))
        {
            var made = await ProcessCapture.RunAsync(
                new ChildProcessOptions { FileName = "/sbin/losetup", Arguments = ["--find", "--show", image] }, timeout: Patience);
            Assert.SkipUnless(made.Exit.IsSuccess, "Loop devices cannot be made here: " + made.ErrorText);
            var node = made.OutputText.Trim();
            try
            {
                await WaitForAsync(seen, Path.GetFileName(node));
            }
            finally
            {
                await ProcessCapture.RunAsync(new ChildProcessOptions { FileName = "/sbin/losetup", Arguments = ["--detach", node] }, timeout: Patience);
                File.Delete(image);
            }

            await WaitForAsync(seen, Path.GetFileName(node));
        }
    }

    private static async Task WaitForAsync(Channel<KernelEvent?> seen, string name)
    {
        using CancellationTokenSource deadline = new(Patience);
        while (await seen.Reader.ReadAsync(deadline.Token) is not { Subsystem: "block" } happened || Path.GetFileName(happened.DevicePath) != name)
        {
        }
    }
}
