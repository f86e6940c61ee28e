using Qubes.Linux;

namespace Qubes.Daemon.Tests;

/// <summary>
/// A libvirt daemon of our own, apart from the system's: it runs as an ordinary user, with all its state in one directory, and serves
/// the driver for tests, whose domains go with it.
/// </summary>
internal sealed class LibvirtDaemon : IAsyncDisposable
{
    private const int SIGCONT = 18;
    private const int SIGSTOP = 19;
    private const string Program = "/usr/sbin/libvirtd";
    private const string Nobody = "65534";

    private readonly string _directory = Directory.CreateTempSubdirectory("qlv-").FullName;
    private ChildProcess _process = null!;

    private LibvirtDaemon()
    {
    }

    public string Uri => $"test+unix:///default?socket={Path.Combine(_directory, "libvirt-sock")}";

    public static async Task<LibvirtDaemon> StartAsync()
    {
        LibvirtDaemon daemon = new();
        await File.WriteAllTextAsync(Path.Combine(daemon._directory, "libvirtd.conf"), $"unix_sock_dir = \"{daemon._directory}\"\n");
        await daemon.StartProcessAsync();
        return daemon;
    }

    /// <summary>It answers nobody until <see cref="Continue"/>.</summary>
    public void Hang() => _process.Kill(SIGSTOP);

    public void Continue() => _process.Kill(SIGCONT);

    /// <summary>Dies and is started again, as by a service manager. Its domains are gone.</summary>
    public async Task CrashAsync()
    {
        await EndAsync();
        await StartProcessAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task StartProcessAsync()
    {
        using ReadinessSocket readiness = new(Path.Combine(_directory, "notify"));
        string[] command = [Program, "-f", Path.Combine(_directory, "libvirtd.conf"), "-p", Path.Combine(_directory, "pid")];
        if (Environment.IsPrivilegedProcess)
        {
            // As root it would share state with the system's.
            CapturedProcess owned = await ProcessCapture.RunAsync(
                new ChildProcessOptions { FileName = "/bin/chown", Arguments = ["-R", $"{Nobody}:{Nobody}", _directory] }, timeout: QubesdProcess.Patience);
            Assert.True(owned.Exit.IsSuccess, owned.ErrorText);
            command = ["/usr/bin/setpriv", "--reuid", Nobody, "--regid", Nobody, "--clear-groups", .. command];
        }

        string[] homes = ["HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"];
        _process = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = command[0],
            Arguments = command[1..],
            NewSession = true,
            EnvironmentChanges = homes.ToDictionary(name => name, _ => (string?)_directory).Append(new("NOTIFY_SOCKET", readiness.Path)).ToDictionary(),
        });
        Task ready = readiness.WaitAsync();
        Task first = await Task.WhenAny(ready, _process.Exited).WaitAsync(QubesdProcess.Patience);
        Assert.True(first == ready, "libvirtd has ended");
    }

    private async Task EndAsync()
    {
        _process.KillGroup();
        await _process.Exited.WaitAsync(QubesdProcess.Patience);
    }
}
