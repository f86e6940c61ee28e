using Qubes.Lifecycle.Operations;
using Qubes.Linux;

namespace Qubes.Lifecycle.Tests;

public sealed class ConsoleLogTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-console-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_log_grown_too_long_is_cut_in_place_and_its_end_kept()
    {
        QubesPaths paths = new(_directory);
        Directory.CreateDirectory(paths.LogDirectory);
        ConsoleLogLimiter limiter = new(paths, limit: 100, kept: 10);
        // As QEMU does: open for append over the whole time.
        await using FileStream guest = new(paths.GuestConsoleLog("work"), FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        await guest.WriteAsync(new byte[100]);
        await guest.FlushAsync();
        await limiter.LimitAsync(["work", "absent"]);
        Assert.Equal(100, new FileInfo(paths.GuestConsoleLog("work")).Length);
        await guest.WriteAsync("0123456789"u8.ToArray());
        await guest.FlushAsync();
        await limiter.LimitAsync(["work"]);
        Assert.Equal(0, new FileInfo(paths.GuestConsoleLog("work")).Length);
        Assert.Equal("0123456789", File.ReadAllText(paths.GuestConsoleLog("work") + ".old"));
    }
}
