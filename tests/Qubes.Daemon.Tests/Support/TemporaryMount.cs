using Qubes.Linux;

namespace Qubes.Daemon.Tests;

/// <summary>A mount that is taken away again whatever happens. Where mounting is not allowed the test says so and is skipped.</summary>
internal sealed class TemporaryMount : IAsyncDisposable
{
    private readonly string _directory;

    private TemporaryMount(string directory) => _directory = directory;

    public static async Task<TemporaryMount> CreateAsync(string directory, string kind, string options)
    {
        CapturedProcess mount = await ProcessCapture.RunAsync(
            new ChildProcessOptions { FileName = "/bin/mount", Arguments = ["-t", kind, "-o", options, "qubes-test", directory] }, timeout: QubesdProcess.Patience);
        if (!mount.Exit.IsSuccess)
        {
            Assert.Skip($"A {kind} cannot be mounted here: {mount.ErrorText}");
        }

        return new TemporaryMount(directory);
    }

    /// <summary>Changes its options, such as <c>ro</c>; nobody may have a file open for writing then.</summary>
    public async Task RemountAsync(string options)
    {
        CapturedProcess mount = await ProcessCapture.RunAsync(
            new ChildProcessOptions { FileName = "/bin/mount", Arguments = ["-o", "remount," + options, _directory] }, timeout: QubesdProcess.Patience);
        Assert.True(mount.Exit.IsSuccess, mount.ErrorText);
    }

    public async ValueTask DisposeAsync() => await ProcessCapture.RunAsync(
        new ChildProcessOptions { FileName = "/bin/umount", Arguments = ["-l", _directory] }, timeout: QubesdProcess.Patience);
}
