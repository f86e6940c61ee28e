using System.Net.Sockets;
using System.Text;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Tests.Daemon;
using Qubes.Qrexec.Tests.Vchan;
using Qubes.Qrexec.Vchan;
using Qubes.Testing;

namespace Qubes.Qrexec.Tests.Agent;

/// <summary>A real agent process on socket vchans, with the test as its daemon and as the callers.</summary>
internal sealed class AgentHarness : IAsyncDisposable
{
    private const uint Domain = 42;

    private readonly Scratch _scratch = new();
    private readonly SocketVchanTransport _dom0;
    private FakeAgent _daemon = null!;
    private IVchan _control = null!;

    private AgentHarness()
    {
        Directory.CreateDirectory(_scratch.Path("vchan"));
        Directory.CreateDirectory(_scratch.Path("services"));
        Directory.CreateDirectory(_scratch.Path("config"));
        _dom0 = new(_scratch.Path("vchan"), 0);
        Process = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = ProgramFile.Find("qrexec"),
            Arguments = ["qrexec-agent", "-S", "-a", TriggerSocket],
            EnvironmentChanges = new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["VCHAN_DOMAIN"] = "42",
                ["VCHAN_SOCKET_DIR"] = _scratch.Path("vchan"),
                ["QREXEC_SERVICE_PATH"] = _scratch.Path("services"),
                ["QUBES_RPC_CONFIG_PATH"] = _scratch.Path("config"),
            },
        });
    }

    public static TimeSpan Patience => LinkPair.Patience;

    /// <summary>Our own user, the only one that commands can run as when the tests do not run as root.</summary>
    public static string User { get; } = (UserAccount.Current() ?? throw new InvalidOperationException("no account")).Name;

    public ChildProcess Process { get; }

    public string TriggerSocket => _scratch.Path("agent.sock");

    public Scratch Scratch => _scratch;

    public static async Task<AgentHarness> StartAsync()
    {
        AgentHarness harness = new();
        await harness.ConnectDaemonAsync();
        return harness;
    }

    public async Task ConnectDaemonAsync()
    {
        _control = await _dom0.ConnectAsync(Domain, QrexecPorts.Control).AsTask().WaitAsync(Patience);
        _daemon = new(_control);
        (QrexecMessageType type, byte[] body) = await ReceiveAsync();
        Assert.Equal((QrexecMessageType.Hello, QrexecVersion.Control), (type, QrexecHello.ReadVersion(body)));
        await _daemon.SendAsync(QrexecMessageType.Hello, BitConverter.GetBytes(QrexecVersion.Control));
    }

    public async Task DropDaemonAsync() => await _control.DisposeAsync();

    public void Service(string name, string script) => _scratch.File("services/" + name, "#!/bin/sh\n" + script, executable: true);

    public void Configuration(string name, string content) => _scratch.File("config/" + name, content);

    public Task SendAsync(QrexecMessageType type, byte[] body) => _daemon.SendAsync(type, body);

    public Task<(QrexecMessageType Type, byte[] Body)> ReceiveAsync() => _daemon.ReceiveAsync().WaitAsync(Patience);

    /// <summary>Asks the agent to run a command, as the caller that listens on <paramref name="port"/>.</summary>
    public async Task<DataPeer> CallAsync(string command, uint port = 513, QrexecMessageType type = QrexecMessageType.ExecCmdline)
    {
        await using IVchanListener listener = await _dom0.ListenAsync(Domain, port);
        ExecRequest request = new(new ExecParams(0, port), Encoding.Latin1.GetBytes(command));
        await SendAsync(type, request.ToBody());
        DataPeer peer = new(await listener.AcceptAsync().AsTask().WaitAsync(Patience));
        await peer.GreetAsync();
        return peer;
    }

    public async Task ExpectTerminatedAsync(uint port = 513)
    {
        (QrexecMessageType type, byte[] body) = await ReceiveAsync();
        Assert.Equal((QrexecMessageType.ConnectionTerminated, new ExecParams(0, port)), (type, ExecParams.Read(body)));
    }

    /// <summary>Connects to the agent as <c>qrexec-client-vm</c> does and sends a request.</summary>
    public async Task<Socket> TriggerAsync(QrexecMessageType type, byte[] body)
    {
        // The agent makes the socket right after the daemon's HELLO.
        using FileSystemWatcher watcher = new(_scratch.Directory, Path.GetFileName(TriggerSocket));
        TaskCompletionSource created = new(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Created += (_, _) => created.TrySetResult();
        watcher.Renamed += (_, _) => created.TrySetResult();
        watcher.EnableRaisingEvents = true;
        if (!File.Exists(TriggerSocket))
        {
            await created.Task.WaitAsync(Patience);
        }

        Socket socket = await UnixAddress.ConnectAsync(TriggerSocket);
        await socket.SendAsync(QrexecHeader.Message(type, body));
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        await _control.DisposeAsync();
        Process.Kill(ChildProcess.SIGTERM);
        await Process.Exited.WaitAsync(Patience);
        _scratch.Dispose();
    }
}
