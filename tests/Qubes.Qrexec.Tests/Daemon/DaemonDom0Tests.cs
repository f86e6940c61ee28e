using System.Net.Sockets;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Tests.Daemon;

/// <summary>Calls of a qube to dom0: the daemon plays the service.</summary>
public sealed class DaemonDom0Tests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("dom0", "dom0", "name dom0")]
    [InlineData("@adminvm", "@adminvm", "keyword adminvm")]
    [InlineData("uuid:00000000-0000-0000-0000-000000000000", "@default", "keyword default")]
    public async Task A_call_of_the_admin_api_reaches_the_daemons_socket_without_a_process(string target, string requested, string words)
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, DaemonCallTests.Allow(target, requested: requested));
        await using FakeServer qubesd = new(daemon.Paths.AdminSocket, endsWithEmptyLine: false, _ => Task.FromResult("0\0work class=AppVM\n"));
        _scratch.Link("etc/qubes-rpc/admin.vm.List", "../../run/qubesd.sock");
        await using FakeAgent agent = await daemon.StartAsync();
        await using DataPeer caller = await CallAsync(daemon, agent, "admin.vm.List");
        await caller.SendAsync(QrexecMessageType.DataStdin, "payload");
        await caller.SendAsync(QrexecMessageType.DataStdin, "");
        Assert.Equal(0, await caller.ReceiveToStatusAsync());
        Assert.Equal("0\0work class=AppVM\n", caller.Output.ToString());
        Assert.Equal([QrexecMessageType.DataStderr, QrexecMessageType.DataStdout, QrexecMessageType.DataExitCode], caller.Types);
        Assert.Equal($"admin.vm.List+ work {words}\0payload", await qubesd.NextRequestAsync());
    }

    [Fact]
    public async Task A_program_gets_the_call_in_its_environment_and_its_status_is_the_calls()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, DaemonCallTests.Allow("dom0", requested: "dom0"));
        _scratch.File("etc/qubes-rpc/test.S", "#!/bin/sh\necho \"$QREXEC_REMOTE_DOMAIN $QREXEC_REQUESTED_TARGET_TYPE $QREXEC_REQUESTED_TARGET $1\"\ncat\nexit 42\n", executable: true);
        await using FakeAgent agent = await daemon.StartAsync();
        await using DataPeer caller = await CallAsync(daemon, agent, "test.S+arg");
        await caller.SendAsync(QrexecMessageType.DataStdin, "input");
        await caller.SendAsync(QrexecMessageType.DataStdin, "");
        Assert.Equal(42, await caller.ReceiveToStatusAsync());
        Assert.Equal("work name dom0 arg\ninput", caller.Output.ToString());
    }

    [Fact]
    public async Task A_program_that_ends_is_not_kept_by_a_caller_that_keeps_its_input_open()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, DaemonCallTests.Allow("dom0", requested: "dom0"));
        _scratch.File("etc/qubes-rpc/test.S", "#!/bin/sh\nexit 3\n", executable: true);
        await using FakeAgent agent = await daemon.StartAsync();
        await using DataPeer caller = await CallAsync(daemon, agent, "test.S");
        Assert.Equal(3, await caller.ReceiveToStatusAsync());
    }

    [Theory]
    [InlineData("test.Missing", 127)]
    [InlineData("test.Dangling", 127)]
    [InlineData("test.NoProgram", 125)]
    [InlineData("test.BadConfiguration", 125)]
    [InlineData("test.Refusing", 125)]
    public async Task A_service_that_does_not_start_is_told_by_its_status(string service, int status)
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, DaemonCallTests.Allow("dom0", requested: "dom0"));
        _scratch.Link("etc/qubes-rpc/test.Dangling", "../../run/qubesd.sock");
        _scratch.File("etc/qubes-rpc/test.NoProgram", "");
        _scratch.File("etc/qubes-rpc/test.BadConfiguration", "#!/bin/sh\n", executable: true);
        _scratch.File("etc/qubes/rpc-config/test.BadConfiguration", "wait-for-session=maybe\n");
        using Socket dead = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        dead.Bind(new UnixDomainSocketEndPoint(_scratch.Path("etc/qubes-rpc/test.Refusing")));
        await using FakeAgent agent = await daemon.StartAsync();
        await using DataPeer caller = await CallAsync(daemon, agent, service);
        Assert.Equal(status, await caller.ReceiveToStatusAsync());
    }

    [Fact]
    public async Task A_service_name_that_can_be_no_file_is_a_refusal()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, DaemonCallTests.Allow("dom0", requested: "dom0"));
        await using FakeAgent agent = await daemon.StartAsync();
        await agent.TriggerAsync("dom0", new string('a', 256), "SOCKET1");
        await agent.ExpectRefusalAsync("SOCKET1");
    }

    [Fact]
    public async Task The_session_helper_runs_before_a_service_that_asks_for_it()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, DaemonCallTests.Allow("dom0", requested: "dom0"));
        _scratch.File("etc/qubes-rpc/qubes.WaitForSession", $"#!/bin/sh\ntouch {_scratch.Path("waited")}\n", executable: true);
        _scratch.File("etc/qubes-rpc/test.S", $"#!/bin/sh\ntest -e {_scratch.Path("waited")}\n", executable: true);
        _scratch.File("etc/qubes/rpc-config/test.S", "wait-for-session=1\n");
        await using FakeAgent agent = await daemon.StartAsync();
        await using DataPeer caller = await CallAsync(daemon, agent, "test.S");
        Assert.Equal(0, await caller.ReceiveToStatusAsync());
    }

    [Fact]
    public async Task A_caller_that_vanishes_in_the_middle_leaves_the_service_at_its_end_of_input_and_the_daemon_well()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, DaemonCallTests.Allow("dom0", requested: "dom0"));
        await using FakeServer qubesd = new(daemon.Paths.AdminSocket, endsWithEmptyLine: false, _ => Task.FromResult("0\0"));
        _scratch.Link("etc/qubes-rpc/admin.vm.List", "../../run/qubesd.sock");
        await using FakeAgent agent = await daemon.StartAsync();
        DataPeer caller = await CallAsync(daemon, agent, "admin.vm.List");
        await caller.SendAsync(QrexecMessageType.DataStdin, "half");
        await caller.DisposeAsync();
        Assert.Equal("admin.vm.List+ work name dom0\0half", await qubesd.NextRequestAsync());
        await agent.TerminatedAsync(0, 513);
        await using DataPeer next = await CallAsync(daemon, agent, "admin.vm.List");
        await next.SendAsync(QrexecMessageType.DataStdin, "");
        Assert.Equal(0, await next.ReceiveToStatusAsync());
    }

    [Fact]
    public async Task A_caller_that_does_not_read_holds_up_no_other_call()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, DaemonCallTests.Allow("dom0", requested: "dom0"));
        _scratch.File("etc/qubes-rpc/test.Endless", "#!/bin/sh\nexec cat /dev/zero\n", executable: true);
        _scratch.File("etc/qubes-rpc/test.S", "#!/bin/sh\nexit 5\n", executable: true);
        await using FakeAgent agent = await daemon.StartAsync();
        await using DataPeer stalled = await CallAsync(daemon, agent, "test.Endless");
        await stalled.ReceiveAsync();
        await using DataPeer other = await CallAsync(daemon, agent, "test.S");
        Assert.Equal(5, await other.ReceiveToStatusAsync());
    }

    [Fact]
    public async Task A_caller_that_breaks_the_data_protocol_loses_its_call_only()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, DaemonCallTests.Allow("dom0", requested: "dom0"));
        _scratch.File("etc/qubes-rpc/test.S", "#!/bin/sh\nexec cat\n", executable: true);
        await using FakeAgent agent = await daemon.StartAsync();
        await using DataPeer bad = await CallAsync(daemon, agent, "test.S");
        await bad.Vchan.WriteAsync(new byte[] { 1, 2, 3, 4, 255, 255, 255, 255 });
        await new FakeAgent(bad.Vchan).ExpectEndAsync();
        await using DataPeer good = await CallAsync(daemon, agent, "test.S");
        await good.SendAsync(QrexecMessageType.DataStdin, "");
        Assert.Equal(0, await good.ReceiveToStatusAsync());
    }

    [Fact]
    public async Task Calls_run_side_by_side()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, DaemonCallTests.Allow("dom0", requested: "dom0"));
        _scratch.File("etc/qubes-rpc/test.S", "#!/bin/sh\nexec cat\n", executable: true);
        await using FakeAgent agent = await daemon.StartAsync();
        List<DataPeer> callers = [];
        for (int i = 0; i < 20; i++)
        {
            callers.Add(await CallAsync(daemon, agent, "test.S"));
        }

        for (int i = 19; i >= 0; i--)
        {
            await callers[i].SendAsync(QrexecMessageType.DataStdin, $"text {i}");
            await callers[i].SendAsync(QrexecMessageType.DataStdin, "");
            Assert.Equal(0, await callers[i].ReceiveToStatusAsync());
            Assert.Equal($"text {i}", callers[i].Output.ToString());
            await callers[i].DisposeAsync();
        }
    }

    [Fact]
    public async Task Over_the_multiplexed_port_each_of_many_calls_of_the_admin_api_is_answered()
    {
        await using TestDaemon daemon = new(_scratch, transport: Qubes.Qrexec.Daemon.GuestTransport.Virtio);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, DaemonCallTests.Allow("dom0", requested: "dom0"));
        await using FakeServer qubesd = new(daemon.Paths.AdminSocket, endsWithEmptyLine: false, _ => Task.FromResult("0\0"));
        _scratch.Link("etc/qubes-rpc/admin.vm.List", "../../run/qubesd.sock");
        await using FakeMachine machine = new(daemon.Paths, "work");
        await using IVchanListener control = await machine.Link.ListenAsync(0, QrexecPorts.Control);
        daemon.Run();
        await using FakeAgent agent = new(await control.AcceptAsync().AsTask().WaitAsync(FakeAgent.Limit));
        await agent.GreetAsync(4);
        for (int i = 0; i < 50; i++)
        {
            await agent.TriggerAsync("dom0", "admin.vm.List", "SOCKET1");
            ExecParams place = ExecParams.Read(await agent.ExpectAsync(QrexecMessageType.ServiceConnect));
            await using IVchanListener listener = await machine.Link.ListenAsync(0, place.Port);
            await using DataPeer caller = new(await listener.AcceptAsync().AsTask().WaitAsync(FakeAgent.Limit));
            await caller.GreetAsync();
            await caller.SendAsync(QrexecMessageType.DataStdin, "");
            Assert.Equal(0, await caller.ReceiveToStatusAsync());
            await agent.TerminatedAsync(0, place.Port);
        }
    }

    private static async Task<DataPeer> CallAsync(TestDaemon daemon, FakeAgent agent, string service)
    {
        await agent.TriggerAsync("dom0", service, "SOCKET1");
        ExecParams place = ExecParams.Read(await agent.ExpectAsync(QrexecMessageType.ServiceConnect));
        Assert.Equal(0u, place.Domain);
        await using IVchanListener listener = await daemon.Guest.ListenAsync(0, place.Port);
        DataPeer caller = new(await listener.AcceptAsync().AsTask().WaitAsync(FakeAgent.Limit));
        await caller.GreetAsync();
        return caller;
    }
}
