using Microsoft.Win32.SafeHandles;

namespace Qubes.Linux.Tests;

public sealed class FileContentTests : IDisposable
{
    private const int Size = 8 << 20;

    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-content-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_copy_of_a_file_has_its_data_and_its_holes() => CopyOf(MakeImage());

    [Fact]
    public async Task A_copy_of_a_block_device_has_its_data_and_no_room_for_zeros()
    {
        CapturedProcess made = await LoopAsync("--find", "--show", MakeImage());
        if (!made.Exit.IsSuccess)
        {
            Assert.Skip("No loop device can be made here: " + made.ErrorText);
        }

        string device = made.OutputText.Trim();
        try
        {
            CopyOf(device);
        }
        finally
        {
            await LoopAsync("--detach", device);
        }
    }

    private static Task<CapturedProcess> LoopAsync(params string[] arguments) => ProcessCapture.RunAsync(
        new ChildProcessOptions { FileName = "/usr/sbin/losetup", Arguments = arguments }, timeout: TimeSpan.FromSeconds(30));

    private string MakeImage()
    {
        string path = Path.Combine(_directory, "image");
        using SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        FileContent.SetLength(file, Size);
        RandomAccess.Write(file, "data"u8, 5 << 20);
        return path;
    }

    private void CopyOf(string source)
    {
        string path = Path.Combine(_directory, "copy");
        using (SafeFileHandle from = File.OpenHandle(source))
        using (SafeFileHandle to = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite))
        {
            FileContent.CopySparse(from, to);
        }

        byte[] content = File.ReadAllBytes(path);
        Assert.Equal(Size, content.Length);
        Assert.Equal("data"u8.ToArray(), content[(5 << 20)..((5 << 20) + 4)]);
        Assert.Equal(4, content.Count(b => b != 0));
        Assert.True(FileStatus.Find(path)!.Value.AllocatedSize <= 2 << 20);
    }
}
