using System.Net.Sockets;
using System.Text;
using Qubes.Linux;
using Qubes.Testing;

namespace Qubes.Daemon.Tests;

/// <summary>
/// A real <c>qubesd</c> on a scratch root. Started when it says READY on the socket systemd would give it; what it logs is kept for the
/// message of a failing test.
/// </summary>
internal sealed class QubesdProcess : IAsyncDisposable
{
    /// <summary>libvirt's driver for tests, in the daemon itself.</summary>
    public const string TestDriver = "test:///default";

    private static readonly string Program = ProgramFile.Find("qubesd");

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ChildProcess _process;
    private readonly DaemonLog _log;

    private QubesdProcess(ScratchRoot root, ChildProcess process, DaemonLog log)
    {
        Root = root;
        _process = process;
        _log = log;
    }

    public ScratchRoot Root { get; }

    public int Id => _process.Id;

    /// <summary>Completes when the process has ended.</summary>
    public Task<ProcessExit> Exited => _process.Exited;

    /// <summary>Makes the directories and policy files a first installation makes.</summary>
    public static async Task InitialiseAsync(ScratchRoot root)
    {
        CapturedProcess result = await ProcessCapture.RunAsync(
            new ChildProcessOptions { FileName = Program, Arguments = ["--init-root", "--root", root.Path] }, timeout: Patience);
        Assert.True(result.Exit.IsSuccess, result.ErrorText);
    }

    /// <summary>Starts the daemon and waits until it serves. Fails with its log when it ends instead.</summary>
    /// <param name="faultPoint">Where it is to die, see <see cref="FaultPoint"/>.</param>
    public static async Task<QubesdProcess> StartAsync(ScratchRoot root, string? faultPoint = null, string libvirt = TestDriver)
    {
        QubesdProcess? daemon = await TryStartAsync(root, faultPoint, out Func<Task<string>> log, libvirt);
        return daemon ?? throw new InvalidOperationException("qubesd did not come up:\n" + await log());
    }

    /// <summary>As <see cref="StartAsync"/>; null when it ended before it was ready.</summary>
    /// <param name="groupFile">What the daemon finds in the place of <c>/etc/group</c>; only root can give it that.</param>
    /// <param name="options">More of its command line.</param>
    public static Task<QubesdProcess?> TryStartAsync(
        ScratchRoot root, string? faultPoint, out Func<Task<string>> log, string libvirt = TestDriver, string? groupFile = null, params string[] options)
    {
        string[] command = [Program, "--root", root.Path, "--libvirt", libvirt, .. options];
        if (groupFile is not null)
        {
            command = ["/usr/bin/unshare", "--mount", "--", "/bin/sh", "-c", "mount --bind \"$0\" /etc/group && exec \"$@\"", groupFile, .. command];
        }

        AnonymousPipe output = AnonymousPipe.Create();
        ReadinessSocket readiness = new(Path.Combine(root.Path, "notify"));
        ChildProcess process = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = command[0],
            Arguments = command[1..],
            NewSession = true,
            StandardOutput = output.Writer,
            StandardError = output.Writer,
            EnvironmentChanges = new Dictionary<string, string?>
            {
                ["NOTIFY_SOCKET"] = readiness.Path,
                [FaultPoint.Variable] = faultPoint,
                [QubesPaths.RootVariable] = null,
            },
        });
        output.Writer.Dispose();
        DaemonLog reading = new(output);
        log = () => reading.Whole;
        return WaitAsync(new QubesdProcess(root, process, reading), readiness);
    }

    /// <summary>Asks it to stop, as systemd does, and waits for its end.</summary>
    public async Task<ProcessExit> StopAsync()
    {
        _process.Kill(ChildProcess.SIGTERM);
        return await Exited.WaitAsync(Patience);
    }

    public async Task KillAsync()
    {
        _process.KillGroup();
        await Exited.WaitAsync(Patience);
    }

    /// <summary>Everything it has logged; waits for its end.</summary>
    public Task<string> ReadLogAsync() => _log.Whole;

    /// <summary>Waits until it has logged this.</summary>
    public Task UntilLoggedAsync(string text) => _log.UntilAsync(text);

    /// <summary>One call as dom0; null when the daemon closed the connection without an answer, or is gone.</summary>
    public async Task<AdminAnswer?> TryCallAsync(string method, string destination = "dom0", string argument = "", string payload = "")
    {
        byte[] request = Encoding.ASCII.GetBytes($"{method}+{argument} dom0 name {destination}\0{payload}");
        using MemoryStream answer = new();
        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            using CancellationTokenSource deadline = new(Patience);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Root.Paths.AdminSocket), deadline.Token);
            await socket.SendAsync(request, deadline.Token);
            socket.Shutdown(SocketShutdown.Send);
            byte[] buffer = new byte[64 * 1024];
            while (await socket.ReceiveAsync(buffer, deadline.Token) is var count and > 0)
            {
                answer.Write(buffer, 0, count);
            }
        }
        catch (SocketException)
        {
            // Killed while it worked: what came before that counts.
        }

        return AdminAnswer.TryParse(answer.ToArray());
    }

    /// <summary>A call that must succeed; its content.</summary>
    public async Task<string> CallAsync(string method, string destination = "dom0", string argument = "", string payload = "")
    {
        AdminAnswer? answer = await TryCallAsync(method, destination, argument, payload);
        Assert.True(answer is { IsSuccess: true }, $"{method}+{argument} {destination}: {answer?.ToString() ?? "no answer"}");
        return answer!.Content;
    }

    public async ValueTask DisposeAsync()
    {
        if (!Exited.IsCompleted)
        {
            await KillAsync();
        }
    }

    private static async Task<QubesdProcess?> WaitAsync(QubesdProcess daemon, ReadinessSocket readiness)
    {
        using (readiness)
        {
            Task ready = readiness.WaitAsync();
            Task first = await Task.WhenAny(ready, daemon.Exited).WaitAsync(Patience);
            return first == ready ? daemon : null;
        }
    }
}
