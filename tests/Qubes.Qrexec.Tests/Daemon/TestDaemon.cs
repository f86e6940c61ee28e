using System.Globalization;
using System.Net.Sockets;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Daemon;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Tests.Daemon;

/// <summary>A qrexec-daemon in this process for one fake qube, whose agent the test plays over socket vchans.</summary>
internal sealed class TestDaemon : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();

    public TestDaemon(Scratch scratch, uint id = 7, string name = "work", TimeSpan? startup = null, GuestTransport transport = GuestTransport.Socket)
    {
        Paths = new QubesPaths(scratch.Directory);
        VchanDirectory = scratch.Path("v");
        Directory.CreateDirectory(VchanDirectory);
        Directory.CreateDirectory(Paths.QubesRunDirectory);
        Id = id;
        Name = name;
        Uuid = new Guid((int)id, 0, 0, new byte[8]).ToString();
        Options = new DaemonOptions
        {
            DomainId = id,
            QubeName = name,
            Uuid = Uuid,
            DefaultUser = "alice",
            Paths = Paths,
            SocketDirectory = Paths.QubesRunDirectory,
            PolicyProgram = scratch.Path("policy-program"),
            Transport = transport,
            VchanSocketDirectory = VchanDirectory,
            StartupTimeout = startup ?? FakeAgent.Limit,
        };
        Guest = new SocketVchanTransport(VchanDirectory, id);
    }

    public QubesPaths Paths { get; }

    public DaemonOptions Options { get; }

    public string VchanDirectory { get; }

    public uint Id { get; }

    public string Name { get; }

    public string Uuid { get; }

    public TestLog Log { get; } = new();

    /// <summary>vchans of the fake guest.</summary>
    public SocketVchanTransport Guest { get; }

    public TaskCompletionSource Ready { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<int> Exit { get; private set; } = Task.FromResult(-1);

    public string SocketPath => Paths.QrexecSocket(Id.ToString(CultureInfo.InvariantCulture));

    /// <summary>Starts the daemon and connects a greeted agent to it.</summary>
    public async Task<FakeAgent> StartAsync(uint version = 4)
    {
        IVchanListener control = await Guest.ListenAsync(0, QrexecPorts.Control);
        Run();
        FakeAgent agent = new(await control.AcceptAsync().AsTask().WaitAsync(FakeAgent.Limit));
        Assert.Equal(version, await agent.GreetAsync(version));
        await Ready.Task.WaitAsync(FakeAgent.Limit);
        return agent;
    }

    public void Run() => Exit = new QrexecDaemon(Options, Log).RunAsync(() => Ready.TrySetResult(), _stop.Token);

    /// <summary>A greeted local client.</summary>
    public async Task<TestClient> ConnectClientAsync()
    {
        TestClient client = new(await UnixAddress.ConnectAsync(SocketPath));
        Assert.Equal(QrexecHello.Message(3), await client.ReceiveBytesAsync(12));
        await client.SendAsync(QrexecHello.Message(3));
        return client;
    }

    public Task<int> StopAsync()
    {
        _stop.Cancel();
        return Exit.WaitAsync(FakeAgent.Limit);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }
}

/// <summary>A local client of the daemon, in raw bytes.</summary>
internal sealed class TestClient(Socket socket) : IDisposable
{
    public async Task SendAsync(byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += await socket.SendAsync(bytes.AsMemory(sent));
        }
    }

    public Task RequestAsync(QrexecMessageType type, uint domain, uint port, string command) =>
        SendAsync(new ExecRequest(new ExecParams(domain, port), QrexecCommand.ToBytes(command)).ToMessage(type));

    public async Task<byte[]> ReceiveBytesAsync(int count)
    {
        byte[] bytes = new byte[count];
        for (int at = 0; at < count;)
        {
            int n = await socket.ReceiveAsync(bytes.AsMemory(at)).AsTask().WaitAsync(FakeAgent.Limit);
            Assert.NotEqual(0, n);
            at += n;
        }

        return bytes;
    }

    public async Task<ExecParams> ReceivePortAsync(QrexecMessageType type)
    {
        byte[] message = await ReceiveBytesAsync(16);
        Assert.Equal(new QrexecHeader(type, 8), QrexecHeader.Read(message));
        return ExecParams.Read(message.AsSpan(8));
    }

    /// <summary>Waits until the daemon has closed this client.</summary>
    public async Task ExpectClosedAsync()
    {
        try
        {
            Assert.Equal(0, await socket.ReceiveAsync(new byte[1]).WaitAsync(FakeAgent.Limit));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Closed with something of ours unread.
        }
    }

    public void Dispose() => socket.Dispose();
}
