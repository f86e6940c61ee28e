using System.Net.Sockets;
using Qubes.Linux;

namespace Qubes.EndToEnd.Hosts;

/// <summary>A host beneath a directory of its own: a real qubesd, real guests, the real tools.</summary>
public sealed class ScratchHost : IAsyncDisposable
{
    /// <summary>Emulation on a busy machine is slow; nothing that works comes near this.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private const UnixFileMode Public = (UnixFileMode)0x1ED; // 0755: guests run as another account
    private const int LargestOutput = 1 << 28;

    // The daemon's own: what is mounted on the accounts' files there is seen by nothing else of this machine.
    private const string WithAccounts = "mount --bind \"$0/passwd\" /etc/passwd && mount --bind \"$0/group\" /etc/group && exec \"$@\"";

    private const string Unshare = "/usr/bin/unshare";
    private static readonly string[] OwnMounts = ["--mount", "--propagation", "slave", "--"];

    private readonly Dictionary<string, string?> _environment;
    private ChildProcess? _daemon;

    public ScratchHost()
    {
        Root = Directory.CreateTempSubdirectory("qubes-e2e-").FullName;
        File.SetUnixFileMode(Root, Public);
        _environment = new Dictionary<string, string?>
        {
            [QubesPaths.RootVariable] = Root,
            ["PATH"] = Programs + ":" + Environment.GetEnvironmentVariable("PATH"),
        };
        Paths = new QubesPaths(Root);
    }

    /// <summary>Whether this machine lets the host have accounts of its own; else it has this machine's.</summary>
    public bool HasAccounts { get; private set; }

    public string Root { get; }

    public QubesPaths Paths { get; }

    /// <summary>The programs as installed here: the accounts of the host get to them wherever the source tree is.</summary>
    private string Programs => Path.Combine(Root, "usr/bin");

    public string DaemonLog => Path.Combine(Paths.LogDirectory, "qubesd.log");

    /// <summary>Directories, policy and the guest's kernel; then the daemon.</summary>
    public async Task StartAsync()
    {
        HasAccounts = (await ProcessCapture.RunAsync(
            new ChildProcessOptions { FileName = Unshare, Arguments = [.. OwnMounts, "/bin/true"] }, timeout: Patience)).Exit.IsSuccess;
        await HostPerson.InstallAsync(Path.Combine(Root, "etc"));
        Directory.CreateDirectory(Path.GetDirectoryName(Programs)!);
        CapturedProcess copy = await ProcessCapture.RunAsync(
            new ChildProcessOptions { FileName = "/bin/cp", Arguments = ["-a", Repository.Programs, Programs] }, timeout: Patience);
        Assert.True(copy.Exit.IsSuccess, copy.ErrorText);
        (await RunAsync("qubesd", "--init-root", "--root", Root)).Expect();
        string kernel = Directory.CreateDirectory(Paths.KernelDirectory("minimal")).FullName;
        foreach (string file in Directory.GetFiles(Path.Combine(Repository.Template, "kernel")))
        {
            File.Copy(file, Path.Combine(kernel, Path.GetFileName(file)));
        }

        await StartDaemonAsync();

        // A guest that boots beside a build may take longer than people would wait.
        (await RunAsync("qubes-prefs", "default_qrexec_timeout", "110")).Expect();
    }

    /// <summary>Returns when the daemon says that it serves, as systemd would be told.</summary>
    /// <param name="arguments">More of them.</param>
    public async Task StartDaemonAsync(params string[] arguments)
    {
        string daemon = Path.Combine(Programs, "qubesd");
        string address = Path.Combine(Root, "notify");
        File.Delete(address);
        using Socket notifications = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        notifications.Bind(new UnixDomainSocketEndPoint(address));
        using FileStream log = new(DaemonLog, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        _daemon = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = HasAccounts ? Unshare : daemon,
            Arguments = HasAccounts
                ? [.. OwnMounts, "/bin/sh", "-c", WithAccounts, Path.Combine(Root, "etc"), daemon, "--root", Root, .. arguments]
                : ["--root", Root, .. arguments],
            EnvironmentChanges = new Dictionary<string, string?>(_environment) { ["NOTIFY_SOCKET"] = address },
            NewSession = true,
            StandardOutput = log.SafeFileHandle,
            StandardError = log.SafeFileHandle,
        });
        byte[] message = new byte[4096];
        string said;
        do
        {
            Task<int> receiving = notifications.ReceiveAsync(message);
            Task first = await Task.WhenAny(receiving, _daemon.Exited).WaitAsync(Patience);
            Assert.True(first == receiving, $"qubesd ended:\n{Log()}");
            said = System.Text.Encoding.UTF8.GetString(message, 0, await receiving);
        }
        while (!said.Contains("READY=1", StringComparison.Ordinal));
    }

    /// <returns>The daemon's exit status.</returns>
    public Task<int> StopDaemonAsync() => EndDaemonAsync(ChildProcess.SIGTERM);

    /// <summary>As by a crash.</summary>
    public Task KillDaemonAsync() => EndDaemonAsync(ChildProcess.SIGKILL);

    public async Task<ToolResult> RunAsync(string tool, params string[] arguments) =>
        await RunAsync(tool, arguments, default);

    public async Task<ToolResult> RunAsync(string tool, string[] arguments, ReadOnlyMemory<byte> input)
    {
        CapturedProcess run = await ProcessCapture.RunAsync(new ChildProcessOptions
        {
            FileName = Path.Combine(Programs, tool), Arguments = arguments, EnvironmentChanges = _environment,
        }, input, LargestOutput, Patience);
        return new ToolResult($"{tool} {string.Join(' ', arguments)}", run.Exit.ShellStatus, run.OutputText,
            System.Text.Encoding.UTF8.GetString(run.Error));
    }

    /// <summary>A shell command in a qube, as <paramref name="user"/>.</summary>
    public Task<ToolResult> InQubeAsync(string qube, string command, string user = "user") =>
        RunAsync("qvm-run", "--pass-io", "--no-gui", "--user", user, qube, command);

    /// <summary>A command whose standard streams are files.</summary>
    public async Task<int> RunWithFilesAsync(string tool, string[] arguments, FileStream input, FileStream output, TimeSpan patience)
    {
        ChildProcess process = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = Path.Combine(Programs, tool),
            Arguments = arguments,
            EnvironmentChanges = _environment,
            NewSession = true,
            StandardInput = input.SafeFileHandle,
            StandardOutput = output.SafeFileHandle,
        });
        try
        {
            return (await process.Exited.WaitAsync(patience)).ShellStatus;
        }
        finally
        {
            process.KillGroup();
        }
    }

    internal LiveTool Open(string tool, params string[] arguments) =>
        new(Path.Combine(Programs, tool), arguments, _environment);

    /// <summary>What libvirt and the tools agree on calling the qube's state.</summary>
    public async Task<string> StateAsync(string qube) =>
        (await RunAsync("qvm-ls", "--raw-data", "--fields", "STATE", qube)).Expect().Output.Trim();

    /// <summary>Adds a policy file that comes before the default ones.</summary>
    public void AddPolicy(string name, string text) =>
        AtomicFile.Write(Path.Combine(Paths.PolicyDirectory, name), System.Text.Encoding.UTF8.GetBytes(text), (UnixFileMode)0x1A4 /* 0644 */);

    /// <summary>All logs of the host, for finding what one of them says.</summary>
    public string Log() => string.Concat(Directory.GetFiles(Paths.LogDirectory, "*.log").Select(File.ReadAllText));

    public async ValueTask DisposeAsync()
    {
        if (_daemon is { Exited.IsCompleted: false })
        {
            await RunAsync("qvm-kill", "--all");
            await EndDaemonAsync(ChildProcess.SIGTERM);
        }

        Directory.Delete(Root, recursive: true);
    }

    private async Task<int> EndDaemonAsync(int signal)
    {
        _daemon!.Kill(signal);
        return (await _daemon.Exited.WaitAsync(Patience)).ShellStatus;
    }
}
