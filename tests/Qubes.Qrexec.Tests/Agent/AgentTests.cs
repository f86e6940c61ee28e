using System.Net.Sockets;
using System.Text;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Tests.Daemon;

namespace Qubes.Qrexec.Tests.Agent;

public sealed class AgentTests
{
    private static string User => AgentHarness.User;

    [Fact]
    public async Task A_service_gets_its_input_and_its_call_and_the_caller_its_output_errors_and_status()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        agent.Service("test.Echo", "echo \"$1|$QREXEC_SERVICE_ARGUMENT|$QREXEC_REMOTE_DOMAIN|$QREXEC_SERVICE_FULL_NAME\"\necho trouble >&2\ncat\nexit 42\n");
        await using DataPeer caller = await agent.CallAsync($"{User}:QUBESRPC test.Echo+arg work");
        await caller.SendAsync(QrexecMessageType.DataStdin, "typed");
        await caller.SendAsync(QrexecMessageType.DataStdin, "");
        Assert.Equal(42, await caller.ReceiveToStatusAsync());
        Assert.Equal("arg|arg|work|test.Echo+arg\ntyped", caller.Output.ToString());
        Assert.Equal("trouble\n", caller.Errors.ToString());
        await agent.ExpectTerminatedAsync();
    }

    [Theory]
    [InlineData("QUBESRPC test.Missing work", 127)]
    [InlineData("QUBESRPC test.NoInterpreter work", 127)]
    [InlineData("QUBESRPC test.Plain work", 125)]
    [InlineData("QUBESRPC test.Broken work", 125)]
    [InlineData("QUBESRPC test.Echo work name", 125)]
    [InlineData("QUBESRPC", 125)]
    [InlineData("exit 3", 3)]
    [InlineData("kill -9 $$", 137)]
    public async Task What_becomes_of_a_command_is_told_as_its_status(string command, int status)
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        agent.Service("test.Echo", "cat\n");
        agent.Scratch.File("services/test.NoInterpreter", "#!/no/such/interpreter\n", executable: true);
        agent.Scratch.File("services/test.Plain", "not a program");
        agent.Service("test.Broken", "cat\n");
        agent.Configuration("test.Broken", "wait-for-session=00\n");
        await using DataPeer caller = await agent.CallAsync($"{User}:{command}");
        Assert.Equal(status, await caller.ReceiveToStatusAsync());
        await agent.ExpectTerminatedAsync();
    }

    [Theory]
    [InlineData("no colon here")]
    [InlineData("no-such-user:true")]
    public async Task A_command_of_nobody_is_not_run(string command)
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        await using DataPeer caller = await agent.CallAsync(command);
        Assert.Equal(QrexecExitCode.Problem, await caller.ReceiveToStatusAsync());
        await agent.ExpectTerminatedAsync();
    }

    [Fact]
    public async Task A_just_exec_only_tells_whether_the_start_succeeded()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        agent.Service("test.Fails", "exit 1\n");
        await using (DataPeer caller = await agent.CallAsync($"{User}:QUBESRPC test.Fails work", type: QrexecMessageType.JustExec))
        {
            Assert.Equal(0, await caller.ReceiveToStatusAsync());
            Assert.Equal([QrexecMessageType.DataExitCode], caller.Types);
        }

        await agent.ExpectTerminatedAsync();
        await using DataPeer other = await agent.CallAsync($"{User}:QUBESRPC test.Missing work", type: QrexecMessageType.JustExec);
        Assert.Equal(QrexecExitCode.NotFound, await other.ReceiveToStatusAsync());
        Assert.Equal([QrexecMessageType.DataExitCode], other.Types);
    }

    [Fact]
    public async Task A_process_that_leaves_its_output_to_a_child_keeps_the_call_open_and_its_status()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        string go = agent.Scratch.Path("go");
        await using DataPeer caller = await agent.CallAsync($"{User}:mkfifo {go}; (read line < {go}; echo late) & exit 42");
        await WriteFifoAsync(go);
        Assert.Equal(42, await caller.ReceiveToStatusAsync());
        Assert.Equal("late\n", caller.Output.ToString());
    }

    [Fact]
    public async Task Input_that_nobody_reads_does_not_keep_the_status_back()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        await using DataPeer caller = await agent.CallAsync($"{User}:exec 0<&-; exit 7");
        string much = new('x', 65536);
        Task sending = Task.Run(async () =>
        {
            for (int i = 0; i < 4; i++)
            {
                await caller.SendAsync(QrexecMessageType.DataStdin, much);
            }
        });
        Assert.Equal(7, await caller.ReceiveToStatusAsync());
        await Task.WhenAny(sending).WaitAsync(AgentHarness.Patience);
    }

    [Fact]
    public async Task A_caller_that_vanishes_ends_the_service()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        DataPeer caller = await agent.CallAsync($"{User}:cat");
        await caller.DisposeAsync();
        await agent.ExpectTerminatedAsync();
    }

    [Fact]
    public async Task Many_bytes_pass_through_a_service_intact()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        const int Chunks = 1024;
        await using DataPeer caller = await agent.CallAsync($"{User}:cksum");
        byte[] chunk = new byte[65536];
        new Random(1).NextBytes(chunk);
        string text = Encoding.Latin1.GetString(chunk);
        for (int i = 0; i < Chunks; i++)
        {
            await caller.SendAsync(QrexecMessageType.DataStdin, text);
        }

        await caller.SendAsync(QrexecMessageType.DataStdin, "");
        Assert.Equal(0, await caller.ReceiveToStatusAsync());
        Assert.EndsWith($" {Chunks * 65536L}\n", caller.Output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_signal_the_service_speaks_through_its_input_socket()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();

        // The signal has been seen when the old output takes no more.
        await using DataPeer caller = await agent.CallAsync(
            $"{User}:trap '' PIPE; kill -USR1 $QREXEC_AGENT_PID; while echo x; do :; done 2>/dev/null; echo one socket >&0; exit 5");
        Assert.Equal(5, await caller.ReceiveToStatusAsync());
        Assert.EndsWith("one socket\n", caller.Output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_goes_to_the_daemon_with_nothing_changed_but_its_number_and_its_answer_comes_back()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        byte[] body = TriggerService.Version4Body("relay"u8, "@default"u8, RequestId.FromText("SOCKET"), "test.Service+x"u8);
        using Socket client = await agent.TriggerAsync(QrexecMessageType.TriggerService4, body);
        (QrexecMessageType type, byte[] sent) = await agent.ReceiveAsync();
        Assert.Equal(QrexecMessageType.TriggerService4, type);
        Span<byte> id = sent.AsSpan(TriggerService.Version4RequestIdOffset, QrexecLimits.RequestIdField);
        Assert.StartsWith("SOCKET", RequestId.FromField(id).Text, StringComparison.Ordinal);
        byte[] field = id.ToArray();
        body.AsSpan(TriggerService.Version4RequestIdOffset, QrexecLimits.RequestIdField).CopyTo(id);
        Assert.Equal(body, sent);

        ExecParams target = new(7, 520);
        await agent.SendAsync(QrexecMessageType.ServiceConnect, [.. target.ToBytes(), .. field]);
        byte[] answer = new byte[ExecParams.Size];
        Assert.Equal(ExecParams.Size, await client.ReceiveAsync(answer).WaitAsync(AgentHarness.Patience));
        Assert.Equal(target, ExecParams.Read(answer));
        client.Dispose();
        (type, byte[] ended) = await agent.ReceiveAsync();
        Assert.Equal((QrexecMessageType.ConnectionTerminated, target), (type, ExecParams.Read(ended)));
    }

    [Fact]
    public async Task A_refused_request_is_answered_with_the_end_of_the_connection()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        byte[] body = TriggerService.Version4Body(default, "work"u8, RequestId.FromText("SOCKET"), "test.Service"u8);
        using Socket client = await agent.TriggerAsync(QrexecMessageType.TriggerService4, body);
        (_, byte[] sent) = await agent.ReceiveAsync();
        await agent.SendAsync(QrexecMessageType.ServiceRefused, sent[TriggerService.Version4RequestIdOffset..160]);
        Assert.Equal(0, await client.ReceiveAsync(new byte[8]).WaitAsync(AgentHarness.Patience));
    }

    [Fact]
    public async Task A_request_in_the_old_form_is_refused()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        using Socket client = await agent.TriggerAsync(QrexecMessageType.TriggerService3, new byte[100]);
        try
        {
            Assert.Equal(0, await client.ReceiveAsync(new byte[8]).WaitAsync(AgentHarness.Patience));
        }
        catch (SocketException e)
        {
            // Closed with the body unread.
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        }
    }

    [Fact]
    public async Task A_new_daemon_is_served_and_requests_of_the_old_one_are_refused()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        byte[] body = TriggerService.Version4Body(default, "work"u8, RequestId.FromText("SOCKET"), "test.Service"u8);
        using Socket client = await agent.TriggerAsync(QrexecMessageType.TriggerService4, body);
        await agent.ReceiveAsync();
        await agent.DropDaemonAsync();
        Assert.Equal(0, await client.ReceiveAsync(new byte[8]).WaitAsync(AgentHarness.Patience));
        await agent.ConnectDaemonAsync();
        await using DataPeer caller = await agent.CallAsync($"{User}:echo again");
        Assert.Equal(0, await caller.ReceiveToStatusAsync());
        Assert.Equal("again\n", caller.Output.ToString());
    }

    [Fact]
    public async Task The_termination_signal_ends_the_agent_with_status_0()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        agent.Process.Kill(ChildProcess.SIGTERM);
        Assert.Equal(new ProcessExit(0, IsSignal: false), await agent.Process.Exited.WaitAsync(AgentHarness.Patience));
        Assert.False(File.Exists(agent.TriggerSocket));
    }

    // Opening for writing waits, in a thread of the pool, for the command to open its end.
    private static Task WriteFifoAsync(string path) => Task.Run(async () =>
    {
        using CancellationTokenSource patience = new(AgentHarness.Patience);
        while (!File.Exists(path))
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        await using FileStream fifo = new(path, FileMode.Open, FileAccess.Write);
        await fifo.WriteAsync("go\n"u8.ToArray());
    });
}
