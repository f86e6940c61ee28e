using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Daemon;
using Qubes.Qrexec.Vchan;
using Qubes.Qrexec.Vchan.Broker;

namespace Qubes.Qrexec.Tests.Daemon;

/// <summary>Guests behind one virtio-serial port: the broker for host programs, data between two qubes, machines that come and go.</summary>
public sealed class DaemonMuxTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task The_agent_is_reached_through_the_port_and_a_machine_that_is_gone_ends_the_daemon()
    {
        await using TestDaemon daemon = Daemon(7, "work");
        FakeMachine machine = new(daemon.Paths, "work");
        await using FakeAgent agent = await StartAsync(daemon, machine);
        using TestClient client = await daemon.ConnectClientAsync();
        await client.RequestAsync(QrexecMessageType.ExecCmdline, 0, 0, "u:c");
        Assert.Equal(new ExecParams(7, 513), await client.ReceivePortAsync(QrexecMessageType.ExecCmdline));
        await agent.ExpectAsync(QrexecMessageType.ExecCmdline);
        Assert.NotNull(FileStatus.Find(daemon.Paths.VchanBrokerSocket("work")));
        Assert.NotNull(FileStatus.Find(daemon.Paths.VchanBrokerSocket("7")));
        await machine.DisposeAsync();
        Assert.Equal(1, await daemon.Exit.WaitAsync(FakeAgent.Limit));
        Assert.Null(FileStatus.Find(daemon.SocketPath));
        Assert.Null(FileStatus.Find(daemon.Paths.VchanBrokerSocket("work")));
        Assert.Null(FileStatus.Find(daemon.Paths.VchanBrokerSocket("7")));
    }

    [Fact]
    public async Task The_daemon_waits_for_a_machine_that_is_still_being_made()
    {
        await using TestDaemon daemon = Daemon(7, "work");
        daemon.Run();
        await using FakeMachine machine = new(daemon.Paths, "work");
        await using FakeAgent agent = await GreetAsync(machine);
        await daemon.Ready.Task.WaitAsync(FakeAgent.Limit);
    }

    [Fact]
    public async Task A_guest_that_reboots_is_served_again_by_the_same_daemon()
    {
        await using TestDaemon daemon = Daemon(7, "work");
        await using FakeMachine machine = new(daemon.Paths, "work");
        FakeAgent agent = await StartAsync(daemon, machine);
        using TestClient client = await daemon.ConnectClientAsync();
        await agent.DisposeAsync();
        await client.ExpectClosedAsync();
        await using FakeAgent again = await GreetAsync(machine);
        await again.TriggerAsync("x", "test.S", "SOCKET1");
        await again.ExpectRefusalAsync("SOCKET1");
    }

    [Fact]
    public async Task A_host_program_is_the_server_of_a_port_through_the_broker()
    {
        await using TestDaemon daemon = Daemon(7, "work");
        await using FakeMachine machine = new(daemon.Paths, "work");
        await using FakeAgent agent = await StartAsync(daemon, machine);
        BrokerVchanTransport host = BrokerVchanTransport.ForHost(daemon.Paths, ownDomain: 0);
        await using IVchanListener listener = await host.ListenAsync(7, 513);
        await using IVchan guestEnd = await machine.Link.ConnectAsync(0, 513).AsTask().WaitAsync(FakeAgent.Limit);
        await using IVchan hostEnd = await listener.AcceptAsync().AsTask().WaitAsync(FakeAgent.Limit);
        await ExchangeAsync(hostEnd, guestEnd);
    }

    [Fact]
    public async Task A_host_program_connects_to_a_port_of_the_guest_through_the_broker()
    {
        await using TestDaemon daemon = Daemon(7, "work");
        await using FakeMachine machine = new(daemon.Paths, "work");
        await using FakeAgent agent = await StartAsync(daemon, machine);
        await using IVchanListener listener = await machine.Link.ListenAsync(0, 513);
        BrokerVchanTransport host = BrokerVchanTransport.ForHost(daemon.Paths, ownDomain: 0);
        Task<IVchan> connecting = host.ConnectAsync(7, 513).AsTask();
        await using IVchan guestEnd = await listener.AcceptAsync().AsTask().WaitAsync(FakeAgent.Limit);
        await using IVchan hostEnd = await connecting.WaitAsync(FakeAgent.Limit);
        await ExchangeAsync(guestEnd, hostEnd);
    }

    [Fact]
    public async Task The_control_link_is_not_to_be_had_through_the_broker()
    {
        await using TestDaemon daemon = Daemon(7, "work");
        await using FakeMachine machine = new(daemon.Paths, "work");
        await using FakeAgent agent = await StartAsync(daemon, machine);
        BrokerVchanTransport host = BrokerVchanTransport.ForHost(daemon.Paths, ownDomain: 0);
        await Assert.ThrowsAsync<VchanException>(async () => await host.ConnectAsync(7, QrexecPorts.Control));
    }

    [Fact]
    public async Task A_host_program_that_leaves_frees_the_port_it_served()
    {
        await using TestDaemon daemon = Daemon(7, "work");
        await using FakeMachine machine = new(daemon.Paths, "work");
        await using FakeAgent agent = await StartAsync(daemon, machine);
        BrokerVchanTransport host = BrokerVchanTransport.ForHost(daemon.Paths, ownDomain: 0);
        await using (await host.ListenAsync(7, 513))
        {
            await Assert.ThrowsAsync<VchanException>(async () => await host.ListenAsync(7, 513));
        }

        // The broker notices the hang-up on its own time.
        IVchanListener? again = null;
        using CancellationTokenSource limit = new(FakeAgent.Limit);
        while (again is null && !limit.IsCancellationRequested)
        {
            try
            {
                again = await host.ListenAsync(7, 513);
            }
            catch (VchanException)
            {
                // Still taken.
            }
        }

        await using IVchanListener listener = again!;
        await using IVchan guestEnd = await machine.Link.ConnectAsync(0, 513).AsTask().WaitAsync(FakeAgent.Limit);
        await using IVchan hostEnd = await listener.AcceptAsync().AsTask().WaitAsync(FakeAgent.Limit);
        await ExchangeAsync(hostEnd, guestEnd);
    }

    [Fact]
    public async Task Data_between_two_qubes_is_relayed_whichever_guest_is_first()
    {
        await using TestDaemon source = Daemon(7, "work");
        await using TestDaemon target = Daemon(8, "vault");
        await using FakeServer policy = FakeServer.Policy(source.Paths.PolicySocket, DaemonCallTests.Allow("vault"));
        await using FakeMachine sourceMachine = new(source.Paths, "work");
        await using FakeMachine targetMachine = new(source.Paths, "vault");
        await using FakeAgent caller = await StartAsync(source, sourceMachine);
        await using FakeAgent service = await StartAsync(target, targetMachine);
        for (int round = 0; round < 4; round++)
        {
            await caller.TriggerAsync("vault", "test.S", "SOCKET1");
            ExecParams atService = ExecParams.Read(await service.ExpectAsync(QrexecMessageType.ExecCmdline));
            ExecParams atCaller = ExecParams.Read(await caller.ExpectAsync(QrexecMessageType.ServiceConnect));
            Assert.Equal((7u, 8u, atService.Port), (atService.Domain, atCaller.Domain, atCaller.Port));
            Task<IVchan>? early = round % 2 == 0 ? targetMachine.Link.ConnectAsync(7, atService.Port).AsTask() : null;
            await using IVchanListener listener = await sourceMachine.Link.ListenAsync(8, atCaller.Port);
            Task<IVchan> connecting = early ?? targetMachine.Link.ConnectAsync(7, atService.Port).AsTask();
            await using IVchan callerEnd = await listener.AcceptAsync().AsTask().WaitAsync(FakeAgent.Limit);
            await using IVchan serviceEnd = await connecting.WaitAsync(FakeAgent.Limit);
            await ExchangeAsync(serviceEnd, callerEnd);
            await service.TerminatedAsync(7, atService.Port);
        }
    }

    [Fact]
    public async Task A_guest_reaches_no_other_qube_without_an_approved_call()
    {
        await using TestDaemon source = Daemon(7, "work");
        await using TestDaemon target = Daemon(8, "vault");
        await using FakeMachine sourceMachine = new(source.Paths, "work");
        await using FakeMachine targetMachine = new(source.Paths, "vault");
        await using FakeAgent first = await StartAsync(source, sourceMachine);
        await using FakeAgent second = await StartAsync(target, targetMachine);
        await using IVchanListener listener = await sourceMachine.Link.ListenAsync(8, 514);
        using CancellationTokenSource stop = new();
        Task<IVchan> reaching = targetMachine.Link.ConnectAsync(7, 514, stop.Token).AsTask();
        Task<IVchan> accepting = listener.AcceptAsync(stop.Token).AsTask();

        // Both links have carried a round trip after the attempt, so the attempt was seen and led nowhere.
        await first.TriggerAsync("x", "test.S", "SOCKET1");
        await first.ExpectRefusalAsync("SOCKET1");
        await second.TriggerAsync("x", "test.S", "SOCKET1");
        await second.ExpectRefusalAsync("SOCKET1");
        Assert.False(accepting.IsCompleted);
        Assert.False(reaching.IsCompletedSuccessfully);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accepting);
    }

    [Fact]
    public async Task Garbage_on_the_port_disturbs_no_other_qube()
    {
        await using TestDaemon victim = Daemon(7, "work");
        await using TestDaemon other = Daemon(8, "vault");
        await using FakeMachine otherMachine = new(other.Paths, "vault");
        await using FakeAgent otherAgent = await StartAsync(other, otherMachine);
        Directory.CreateDirectory(victim.Paths.VchanDirectory);
        using UnixListener port = UnixListener.Bind(victim.Paths.VchanPortSocket("work"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        victim.Run();
        using System.Net.Sockets.Socket carrier = await port.AcceptAsync().AsTask().WaitAsync(FakeAgent.Limit);
        byte[] noise = new byte[1 << 20];
        new Random(1).NextBytes(noise);
        for (int sent = 0; sent < noise.Length;)
        {
            sent += await carrier.SendAsync(noise.AsMemory(sent)).AsTask().WaitAsync(FakeAgent.Limit);
        }

        using TestClient client = await other.ConnectClientAsync();
        await client.RequestAsync(QrexecMessageType.ExecCmdline, 0, 0, "u:c");
        await otherAgent.ExpectAsync(QrexecMessageType.ExecCmdline);
        Assert.False(victim.Ready.Task.IsCompleted);
    }

    private TestDaemon Daemon(uint id, string name) => new(_scratch, id, name, transport: GuestTransport.Virtio);

    private static async Task<FakeAgent> StartAsync(TestDaemon daemon, FakeMachine machine)
    {
        daemon.Run();
        FakeAgent agent = await GreetAsync(machine);
        await daemon.Ready.Task.WaitAsync(FakeAgent.Limit);
        return agent;
    }

    private static async Task<FakeAgent> GreetAsync(FakeMachine machine)
    {
        await using IVchanListener control = await machine.Link.ListenAsync(0, QrexecPorts.Control);
        FakeAgent agent = new(await control.AcceptAsync().AsTask().WaitAsync(FakeAgent.Limit));
        await agent.GreetAsync(4);
        return agent;
    }

    private static async Task ExchangeAsync(IVchan one, IVchan other)
    {
        byte[] sent = new byte[300_000];
        new Random(2).NextBytes(sent);
        Task writing = WriteAsync();
        byte[] received = new byte[sent.Length];
        await other.ReadExactlyAsync(received).AsTask().WaitAsync(FakeAgent.Limit);
        Assert.Equal(sent, received);
        Assert.Equal(0, await other.ReadAsync(new byte[1]).AsTask().WaitAsync(FakeAgent.Limit));
        await writing;
        await other.WriteAsync("answer"u8.ToArray());
        await other.DisposeAsync();
        byte[] answer = new byte[6];
        await one.ReadExactlyAsync(answer).AsTask().WaitAsync(FakeAgent.Limit);
        Assert.Equal("answer"u8.ToArray(), answer);
        Assert.Equal(0, await one.ReadAsync(new byte[1]).AsTask().WaitAsync(FakeAgent.Limit));

        async Task WriteAsync()
        {
            await one.WriteAsync(sent);
            await one.CompleteWritesAsync();
        }
    }
}
