using System.Globalization;
using System.Text;
using Qubes.Linux;

namespace Qubes.Bench;

/// <summary>A root directory with a store of N qubes and a policy of 300 rules, and the daemon that runs on it.</summary>
internal sealed class ScratchHost : IAsyncDisposable
{
    /// <summary>Rules of the policy, those of the default files not counted.</summary>
    public const int Rules = 300;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private const UnixFileMode StoreFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private readonly string _daemon;
    private ChildProcess? _process;

    private ScratchHost(string daemon, string root, int qubes)
    {
        _daemon = daemon;
        Paths = new QubesPaths(root);
        Qubes = qubes;
    }

    public QubesPaths Paths { get; }

    /// <summary>AppVMs in the store; one template and dom0 come on top.</summary>
    public int Qubes { get; }

    /// <summary>Resident memory of the running daemon in bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            string line = File.ReadLines($"/proc/{_process!.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
            return long.Parse(line.AsSpan("VmRSS:".Length).TrimEnd("kB").Trim(), CultureInfo.InvariantCulture) * 1024;
        }
    }

    /// <summary>Processor time the running daemon has used.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            // Fields 14 and 15 after the name in brackets: ticks of 10 ms in user and kernel mode.
            string stat = File.ReadAllText($"/proc/{_process!.Id}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromMilliseconds(10.0 * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>
    /// What the disk alone needs to replace a file of the store's size durably: no daemon can be quicker than this.
    /// </summary>
    public TimeSpan MeasureDisk(int times)
    {
        byte[] content = File.ReadAllBytes(Paths.StoreFile);
        string file = Path.Join(Paths.StateDirectory, "disk-speed");
        List<TimeSpan> taken = [];
        for (int i = 0; i < times; i++)
        {
            long before = System.Diagnostics.Stopwatch.GetTimestamp();
            AtomicFile.Write(file, content, StoreFileMode);
            taken.Add(System.Diagnostics.Stopwatch.GetElapsedTime(before));
        }

        File.Delete(file);
        taken.Sort();
        return taken[times / 2];
    }

    /// <summary>The name of one of the AppVMs.</summary>
    public static string QubeName(int number) => string.Create(CultureInfo.InvariantCulture, $"q{number:d4}");

    /// <summary>Makes the directory from nothing and writes store and policy.</summary>
    public static async Task<ScratchHost> CreateAsync(string daemon, string directory, int qubes)
    {
        string root = Path.GetFullPath(Path.Join(directory, qubes.ToString(CultureInfo.InvariantCulture)));
        if (Directory.Exists(root))
        {
            Directory.Delete(root, recursive: true);
        }

        Directory.CreateDirectory(root);
        ScratchHost host = new(daemon, root, qubes);
        ChildProcess init = ChildProcess.Start(new ChildProcessOptions { FileName = daemon, Arguments = ["--init-root", "--root", root], StandardError = StandardError });
        ProcessExit exit = await init.Exited.WaitAsync(s_patience);
        if (!exit.IsSuccess)
        {
            throw new InvalidOperationException($"{daemon} --init-root: {exit}");
        }

        AtomicFile.Write(host.Paths.StoreFile, Encoding.UTF8.GetBytes(StoreText.Write(host.Paths, qubes)), StoreFileMode);
        AtomicFile.Write(Path.Join(host.Paths.PolicyDirectory, "30-bench.policy"), Encoding.UTF8.GetBytes(PolicyText()), StoreFileMode);

        // Each qube has a directory: looking for what is not there at all costs more than looking into it.
        Directory.CreateDirectory(Path.Join(host.Paths.TemplatesDirectory, "tmpl"));
        for (int i = 1; i <= qubes; i++)
        {
            Directory.CreateDirectory(Path.Join(host.Paths.AppVmsDirectory, QubeName(i)));
        }

        return host;
    }

    /// <summary>Starts the daemon; returns the time from the start of the process to READY.</summary>
    public async Task<TimeSpan> StartAsync()
    {
        using ReadySocket ready = new();
        long started = System.Diagnostics.Stopwatch.GetTimestamp();
        _process = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = _daemon,
            Arguments = ["--root", Paths.Root, "--libvirt", "test:///default"],
            EnvironmentChanges = new Dictionary<string, string?> { ["NOTIFY_SOCKET"] = ready.Address },
            StandardError = LogFile(),
        });
        return await ready.WaitAsync(_process.Exited, s_patience) is { } at
            ? System.Diagnostics.Stopwatch.GetElapsedTime(started, at)
            : throw new InvalidOperationException($"qubesd ended with {await _process.Exited}; its log is {LogPath}");
    }

    /// <summary>Stops the daemon as a service manager would.</summary>
    public async Task StopAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            process.Kill(ChildProcess.SIGTERM);
            try
            {
                await process.Exited.WaitAsync(s_patience);
            }
            catch (TimeoutException)
            {
                process.Kill();
                await process.Exited;
                throw;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(Paths.Root, recursive: true);
    }

    private string LogPath => Path.Join(Path.GetDirectoryName(Paths.Root), "qubesd.log");

    private static Microsoft.Win32.SafeHandles.SafeFileHandle StandardError => new(2, ownsHandle: false);

    private Microsoft.Win32.SafeHandles.SafeFileHandle LogFile() =>
        File.OpenHandle(LogPath, FileMode.Create, FileAccess.Write, FileShare.ReadWrite);

    /// <summary>300 rules of the kinds people write, for 60 services; those that let the measured calls pass are the last.</summary>
    private static string PolicyText()
    {
        StringBuilder text = new();
        for (int i = 0; i < Rules - 2; i++)
        {
            string source = (i % 4) switch { 0 => $"@tag:team{i}", 1 => QubeName(1 + (i % 9)), 2 => "@type:TemplateVM", _ => "@anyvm" };
            string argument = i % 3 == 0 ? "*" : $"+arg{i}";
            text.Append(CultureInfo.InvariantCulture, $"bench.Service{i % 60} {argument} {source} {QubeName(1 + (i % 7))} {(i % 5 == 0 ? "ask" : "deny")}\n");
        }

        return text.Append("admin.vm.property.Get * @anyvm @anyvm allow target=@adminvm\n* * @anyvm @anyvm allow\n").ToString();
    }
}
