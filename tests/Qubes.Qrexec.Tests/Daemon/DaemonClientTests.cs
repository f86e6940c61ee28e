using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Tests.Daemon;

/// <summary>The local socket: names, requests, ports, and what ends a client.</summary>
public sealed class DaemonClientTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task The_socket_has_three_names_while_the_agent_is_connected()
    {
        await using TestDaemon daemon = new(_scratch);
        string[] names = [daemon.SocketPath, daemon.Paths.QrexecSocket("work"), daemon.Paths.QrexecSocket("uuid:" + daemon.Uuid)];
        FakeAgent agent = await daemon.StartAsync();
        Assert.All(names, name => Assert.True(FileStatus.FindStrictly(name, followLink: true)!.Value.IsSocket));
        Assert.Equal("qrexec.7", new FileInfo(names[1]).LinkTarget);
        Assert.Equal("qrexec.7", new FileInfo(names[2]).LinkTarget);
        Assert.Equal((UnixFileMode)0b111_111_111, FileStatus.Find(names[0])!.Value.Permissions);

        // A new agent comes: once it is greeted, the old life's names are gone or new.
        IVchanListener again = await daemon.Guest.ListenAsync(0, QrexecPorts.Control);
        using TestClient client = await daemon.ConnectClientAsync();
        await agent.DisposeAsync();
        await client.ExpectClosedAsync();
        await using FakeAgent next = new(await again.AcceptAsync().AsTask().WaitAsync(FakeAgent.Limit));
        Assert.All(names, name => Assert.Null(FileStatus.Find(name)));
        await next.GreetAsync(4);
        await next.TriggerAsync("x", "test.S", "SOCKET1");
        await next.ExpectRefusalAsync("SOCKET1");
        Assert.All(names, name => Assert.NotNull(FileStatus.Find(name)));
        Assert.Equal(0, await daemon.StopAsync());
        Assert.All(names, name => Assert.Null(FileStatus.Find(name)));
    }

    [Fact]
    public async Task A_stop_while_waiting_for_the_agent_ends_the_daemon_with_0()
    {
        await using TestDaemon daemon = new(_scratch);
        daemon.Run();
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Theory]
    [InlineData(QrexecMessageType.ExecCmdline)]
    [InlineData(QrexecMessageType.JustExec)]
    public async Task A_command_gets_a_port_and_goes_to_the_agent(QrexecMessageType type)
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeAgent agent = await daemon.StartAsync();
        using TestClient client = await daemon.ConnectClientAsync();
        await client.RequestAsync(type, 0, 0, "bob:ls");
        Assert.Equal(new ExecParams(7, 513), await client.ReceivePortAsync(type));
        Assert.Equal(new ExecRequest(new ExecParams(0, 513), "bob:ls"u8.ToArray()).ToBody(), await agent.ExpectAsync(type));
    }

    [Theory]
    [InlineData("DEFAULT:ls", "alice:ls")]
    [InlineData("DEFAULTx:ls", "DEFAULTx:ls")]
    [InlineData("bob:DEFAULT:ls", "bob:DEFAULT:ls")]
    public async Task The_default_user_is_filled_in(string command, string expected)
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeAgent agent = await daemon.StartAsync();
        using TestClient client = await daemon.ConnectClientAsync();
        await client.RequestAsync(QrexecMessageType.ExecCmdline, 0, 0, command);
        byte[] body = await agent.ExpectAsync(QrexecMessageType.ExecCmdline);
        Assert.Equal(expected + "\0", System.Text.Encoding.ASCII.GetString(body.AsSpan(8)));
    }

    [Fact]
    public async Task Ports_follow_the_parity_of_the_peer_and_are_freed_only_by_the_agent()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeAgent agent = await daemon.StartAsync();
        using TestClient greater = await RequestAsync(daemon, 9, 514);
        using TestClient greaterAgain = await RequestAsync(daemon, 9, 516);
        using TestClient smaller = await RequestAsync(daemon, 3, 513);
        using TestClient dom0 = await RequestAsync(daemon, 0, 515);
        using (TestClient leaving = await RequestAsync(daemon, 0, 517))
        {
        }

        using TestClient notReused = await RequestAsync(daemon, 0, 518);
        await agent.TerminatedAsync(3, 514);
        await agent.TerminatedAsync(9, 514);
        await greater.ExpectClosedAsync();
        using TestClient reused = await RequestAsync(daemon, 9, 514);
    }

    [Fact]
    public async Task A_client_is_closed_when_its_call_has_ended()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeAgent agent = await daemon.StartAsync();
        using TestClient client = await RequestAsync(daemon, 0, 513);
        await agent.TerminatedAsync(0, 513);
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task When_all_ports_are_taken_a_client_is_closed_without_an_answer()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeAgent agent = await daemon.StartAsync();
        for (uint port = 513; port <= 768; port++)
        {
            using TestClient client = await RequestAsync(daemon, 0, port);
            await agent.ExpectAsync(QrexecMessageType.ExecCmdline);
        }

        using TestClient last = await daemon.ConnectClientAsync();
        await last.RequestAsync(QrexecMessageType.ExecCmdline, 0, 0, "u:c");
        await last.ExpectClosedAsync();
    }

    [Fact]
    public async Task A_port_chosen_by_the_client_is_range_checked_and_forwarded_unanswered()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeAgent agent = await daemon.StartAsync();
        using TestClient good = await daemon.ConnectClientAsync();
        await good.RequestAsync(QrexecMessageType.ExecCmdline, 0, 700, "u:c");
        Assert.Equal(new ExecParams(0, 700), ExecParams.Read(await agent.ExpectAsync(QrexecMessageType.ExecCmdline)));
        using TestClient bad = await daemon.ConnectClientAsync();
        await bad.RequestAsync(QrexecMessageType.ExecCmdline, 0, 769, "u:c");
        await bad.ExpectClosedAsync();
    }

    [Fact]
    public async Task A_call_nobody_asked_for_is_not_connected()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeAgent agent = await daemon.StartAsync();
        using TestClient client = await daemon.ConnectClientAsync();
        await client.RequestAsync(QrexecMessageType.ServiceConnect, 8, 514, "SOCKET1");
        await client.ExpectClosedAsync();
        await agent.TriggerAsync("x", "test.S", "SOCKET2");
        await agent.ExpectRefusalAsync("SOCKET2");
    }

    [Fact]
    public async Task An_approved_call_is_connected_verbatim_and_only_once()
    {
        await using TestDaemon daemon = new(_scratch);
        TaskCompletionSource<string> answer = new();
        await using FakeServer policy = new(daemon.Paths.PolicySocket, endsWithEmptyLine: true, _ => answer.Task);
        await using FakeAgent agent = await daemon.StartAsync();
        await agent.TriggerAsync("x", "test.S", "SOCKET1");
        await policy.NextRequestAsync();

        using TestClient client = await daemon.ConnectClientAsync();
        byte[] body = [.. new ExecParams(8, 514).ToBytes(), .. RequestId.FromText("SOCKET1").Field.Span];
        await client.SendAsync(QrexecHeader.Message(QrexecMessageType.ServiceConnect, body));
        Assert.Equal(body, await agent.ExpectAsync(QrexecMessageType.ServiceConnect));

        using TestClient second = await daemon.ConnectClientAsync();
        await second.SendAsync(QrexecHeader.Message(QrexecMessageType.ServiceConnect, body));
        await second.ExpectClosedAsync();

        // The late denial must not refuse what is connected.
        answer.SetResult("result=deny\n");
        await agent.TriggerAsync("x", "test.S", "SOCKET2");
        await agent.ExpectRefusalAsync("SOCKET2");
    }

    [Theory]
    [InlineData(0x300u, 4, 2u)]
    [InlineData(0x200u, 4, 3u)]
    [InlineData(0x300u, 5, 3u)]
    public async Task A_client_that_greets_wrongly_is_closed(uint type, int length, uint version)
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeAgent agent = await daemon.StartAsync();
        using TestClient client = new(await UnixAddress.ConnectAsync(daemon.SocketPath));
        await client.ReceiveBytesAsync(12);
        byte[] body = new byte[length];
        BitConverter.TryWriteBytes(body, version);
        await client.SendAsync(QrexecHeader.Message((QrexecMessageType)type, body));
        await client.ExpectClosedAsync();
    }

    [Theory]
    [InlineData(QrexecMessageType.ExecCmdline, 8, true)]
    [InlineData(QrexecMessageType.ExecCmdline, 65536, true)]
    [InlineData(QrexecMessageType.ExecCmdline, 20, false)]
    [InlineData(QrexecMessageType.ServiceRefused, 32, true)]
    [InlineData(QrexecMessageType.Hello, 4, true)]
    public async Task A_client_that_asks_wrongly_is_closed(QrexecMessageType type, int length, bool terminated)
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeAgent agent = await daemon.StartAsync();
        using TestClient client = await daemon.ConnectClientAsync();
        byte[] header = new byte[8];
        new QrexecHeader(type, (uint)length).Write(header);
        byte[] body = new byte[Math.Min(length, 100)];
        body.AsSpan().Fill((byte)'a');
        body[^1] = terminated ? (byte)0 : (byte)'a';
        await client.SendAsync([.. header, .. body]);
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task A_client_that_speaks_out_of_turn_is_closed()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeAgent agent = await daemon.StartAsync();
        using TestClient client = await RequestAsync(daemon, 0, 513);
        await client.SendAsync([1]);
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task A_client_with_half_a_message_holds_up_nobody()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeAgent agent = await daemon.StartAsync();
        using TestClient slow = await daemon.ConnectClientAsync();
        await slow.SendAsync([0, 2, 0, 0, 50, 0]);
        using TestClient other = await RequestAsync(daemon, 0, 513);
        Assert.Equal(new ExecParams(0, 513), ExecParams.Read(await agent.ExpectAsync(QrexecMessageType.ExecCmdline)));
    }

    [Fact]
    public async Task A_second_daemon_for_the_same_qube_is_refused()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeAgent agent = await daemon.StartAsync();
        await using TestDaemon second = new(_scratch);
        IVchanListener control = await second.Guest.ListenAsync(0, QrexecPorts.Control);
        second.Run();
        await using FakeAgent other = new(await control.AcceptAsync());
        await other.GreetAsync(4);
        Assert.Equal(1, await second.Exit.WaitAsync(FakeAgent.Limit));
        using TestClient client = await RequestAsync(daemon, 0, 513);
    }

    [Fact]
    public async Task A_daemon_that_starts_again_serves_the_agent_that_stayed()
    {
        TestDaemon first = new(_scratch);
        await using FakeAgent agent = await first.StartAsync();
        IVchanListener control = await first.Guest.ListenAsync(0, QrexecPorts.Control);
        Assert.Equal(0, await first.StopAsync());
        await agent.ExpectEndAsync();
        await using TestDaemon second = new(_scratch);
        second.Run();
        await using FakeAgent reconnected = new(await control.AcceptAsync().AsTask().WaitAsync(FakeAgent.Limit));
        await reconnected.GreetAsync(4);
        await second.Ready.Task.WaitAsync(FakeAgent.Limit);
        using TestClient client = await RequestAsync(second, 0, 513);
        await reconnected.ExpectAsync(QrexecMessageType.ExecCmdline);
    }

    private static async Task<TestClient> RequestAsync(TestDaemon daemon, uint peer, uint expectedPort)
    {
        TestClient client = await daemon.ConnectClientAsync();
        await client.RequestAsync(QrexecMessageType.ExecCmdline, peer, 0, "u:c");
        Assert.Equal(new ExecParams(daemon.Id, expectedPort), await client.ReceivePortAsync(QrexecMessageType.ExecCmdline));
        return client;
    }
}
