using System.Text;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Client;
using Qubes.Qrexec.CommandLine;
using Qubes.Qrexec.Data;
using Qubes.Qrexec.Tests.Daemon;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Tests.Client;

/// <summary>qrexec-client against a real daemon, whose guest the test plays.</summary>
public sealed class QrexecClientTests : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly MemoryEnd _output = new();
    private readonly MemoryEnd _error = new();
    private readonly StringWriter _log = new();

    public void Dispose()
    {
        _log.Dispose();
        _scratch.Dispose();
    }

    [Theory]
    [InlineData("work")]
    [InlineData("7")]
    [InlineData("uuid:00000007-0000-0000-0000-000000000000")]
    public async Task A_command_runs_with_prefix_input_output_errors_and_status(string target)
    {
        await using Guest guest = await Guest.StartAsync(_scratch);
        Task<int> client = RunAsync(MemoryEnd.Source("input"), "-d", target, "-p", "prefix ", "DEFAULT:QUBESRPC test.S+ dom0");
        (string command, DataPeer service) = await guest.AcceptAsync(QrexecMessageType.ExecCmdline);
        Assert.Equal("alice:QUBESRPC test.S+ dom0\0", command);
        Assert.Equal("prefix input", await service.ReceiveInputAsync());
        await service.SendAsync(QrexecMessageType.DataStdout, "out");
        await service.SendAsync(QrexecMessageType.DataStderr, "err");
        await service.SendAsync(QrexecMessageType.DataStdout, "");
        await service.SendAsync(QrexecMessageType.DataStderr, "");
        await service.SendExitAsync(42);
        Assert.Equal(42, await client.WaitAsync(FakeAgent.Limit));
        Assert.Equal(("out", "err"), (_output.Output, _error.Output));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(255, 255)]
    [InlineData(300, 44)]
    [InlineData(256, 0)]
    public async Task The_status_is_the_remote_one_in_its_low_8_bits(int sent, int seen)
    {
        await using Guest guest = await Guest.StartAsync(_scratch);
        Task<int> client = RunAsync(MemoryEnd.Source("", ends: false), "-d", "work", "u:c");
        (_, DataPeer service) = await guest.AcceptAsync(QrexecMessageType.ExecCmdline);
        await service.SendExitAsync(sent);
        Assert.Equal(seen, await client.WaitAsync(FakeAgent.Limit) & 0xFF);
    }

    [Fact]
    public async Task Output_and_status_survive_a_service_that_ends_while_input_is_still_coming()
    {
        await using Guest guest = await Guest.StartAsync(_scratch);
        MemoryEnd input = MemoryEnd.Source(new string('x', 60_000), ends: false);
        for (int i = 0; i < 100; i++)
        {
            input.Feed(new string('x', 60_000));
        }

        Task<int> client = RunAsync(input, "-d", "work", "u:c");
        (_, DataPeer service) = await guest.AcceptAsync(QrexecMessageType.ExecCmdline);
        await service.SendAsync(QrexecMessageType.DataStdout, "last words");
        await service.SendExitAsync(7);
        await service.DisposeAsync();
        Assert.Equal(7, await client.WaitAsync(FakeAgent.Limit));
        Assert.Equal("last words", _output.Output);
    }

    [Fact]
    public async Task A_peer_that_vanishes_is_255()
    {
        await using Guest guest = await Guest.StartAsync(_scratch);
        Task<int> client = RunAsync(MemoryEnd.Source("", ends: false), "-d", "work", "u:c");
        (_, DataPeer service) = await guest.AcceptAsync(QrexecMessageType.ExecCmdline);
        await service.SendAsync(QrexecMessageType.DataStdout, "some");
        await service.DisposeAsync();
        Assert.Equal(255, await client.WaitAsync(FakeAgent.Limit) & 0xFF);
    }

    [Fact]
    public async Task A_peer_that_breaks_the_protocol_is_1()
    {
        await using Guest guest = await Guest.StartAsync(_scratch);
        Task<int> client = RunAsync(MemoryEnd.Source("", ends: false), "-d", "work", "u:c");
        (_, DataPeer service) = await guest.AcceptAsync(QrexecMessageType.ExecCmdline);
        await service.SendAsync(QrexecMessageType.Hello, "xxxx");
        Assert.Equal(1, await client.WaitAsync(FakeAgent.Limit));
    }

    [Fact]
    public async Task Terminal_sequences_are_replaced_when_asked()
    {
        await using Guest guest = await Guest.StartAsync(_scratch);
        Task<int> client = RunAsync(MemoryEnd.Source(""), "-tT", "-d", "work", "u:c");
        (_, DataPeer service) = await guest.AcceptAsync(QrexecMessageType.ExecCmdline);
        await service.SendAsync(QrexecMessageType.DataStdout, "\u001b[31m\u00e9\n");
        await service.SendAsync(QrexecMessageType.DataStderr, "\u001b]0;x\a");
        await service.SendExitAsync(0);
        Assert.Equal(0, await client.WaitAsync(FakeAgent.Limit));
        Assert.Equal(("_[31m_\n", "_]0;x\a"), (_output.Output, _error.Output));
    }

    [Theory]
    [InlineData(5, 5)]
    [InlineData(0, 9)]
    public async Task A_local_program_is_connected_and_the_remote_status_wins(int remote, int expected)
    {
        await using Guest guest = await Guest.StartAsync(_scratch);
        Task<int> client = RunAsync(MemoryEnd.Source("unused"), "-d", "work", "-l", "read line; echo \"$QREXEC_REMOTE_DOMAIN got $line\"; exit 9", "u:c");
        (_, DataPeer service) = await guest.AcceptAsync(QrexecMessageType.ExecCmdline);
        await service.SendAsync(QrexecMessageType.DataStdout, "remote\n");
        Assert.Equal("work got remote\n", await service.ReceiveInputAsync());
        await service.SendAsync(QrexecMessageType.DataStdout, "");
        await service.SendExitAsync(remote);
        Assert.Equal(expected, await client.WaitAsync(FakeAgent.Limit));
        Assert.Equal("", _output.Output);
    }

    [Fact]
    public async Task A_detached_command_ends_with_the_status_of_its_start()
    {
        await using Guest guest = await Guest.StartAsync(_scratch);
        Task<int> client = RunAsync(MemoryEnd.Source("", ends: false), "-d", "work", "-e", "u:c");
        (_, DataPeer service) = await guest.AcceptAsync(QrexecMessageType.JustExec);
        await service.SendExitAsync(127);
        Assert.Equal(127, await client.WaitAsync(FakeAgent.Limit));
    }

    [Fact]
    public async Task The_remote_status_can_be_ignored_and_the_target_killed()
    {
        await using Guest guest = await Guest.StartAsync(_scratch);
        await using FakeServer qubesd = new(guest.Daemon.Paths.AdminSocket, endsWithEmptyLine: false, _ => Task.FromResult("0\0"));
        Task<int> client = RunAsync(MemoryEnd.Source(""), "-d", "work", "-E", "-k", "u:c");
        (_, DataPeer service) = await guest.AcceptAsync(QrexecMessageType.ExecCmdline);
        await service.SendExitAsync(3);
        Assert.Equal(0, await client.WaitAsync(FakeAgent.Limit));
        Assert.Equal("admin.vm.Kill+ dom0 name work\0", await qubesd.NextRequestAsync());
    }

    [Fact]
    public async Task No_daemon_no_data_connection_and_a_refused_request_are_125()
    {
        Assert.Equal(125, await RunAsync(MemoryEnd.Source(""), "-d", "none", "u:c"));
        await using Guest guest = await Guest.StartAsync(_scratch);
        Assert.Equal(125, await RunAsync(MemoryEnd.Source(""), "-d", "work", "-w", "1", "u:c"));
        Assert.Equal(125, await RunAsync(MemoryEnd.Source(""), "-d", "work", "u:" + new string('x', 5000)));
    }

    [Fact]
    public async Task An_approved_request_is_connected_to_another_qube()
    {
        await using Guest source = await Guest.StartAsync(_scratch);
        await using Guest target = await Guest.StartAsync(_scratch, 8, "vault");
        await PendAsync(source);
        Task<int> client = RunAsync(MemoryEnd.Source(""), "-d", "vault", "-W", "-c", "SOCKET1,work,7", "DEFAULT:QUBESRPC test.S+ work");
        Assert.Equal(new ExecParams(7, 513), ExecParams.Read(await target.Agent.ExpectAsync(QrexecMessageType.ExecCmdline)));
        byte[] connect = await source.Agent.ExpectAsync(QrexecMessageType.ServiceConnect);
        Assert.Equal([.. new ExecParams(8, 513).ToBytes(), .. RequestId.FromText("SOCKET1").Field.ToArray()], connect);
        Assert.False(client.IsCompleted);
        await target.Agent.TerminatedAsync(7, 513);
        Assert.Equal(0, await client.WaitAsync(FakeAgent.Limit));
    }

    [Fact]
    public async Task An_approved_request_is_connected_to_a_service_of_the_host()
    {
        await using Guest source = await Guest.StartAsync(_scratch);
        _scratch.File("etc/qubes-rpc/test.S", "#!/bin/sh\necho $QREXEC_REMOTE_DOMAIN\nexit 6\n", executable: true);
        await PendAsync(source);
        Task<int> client = RunAsync(MemoryEnd.Source(""), "-d", "dom0", "-c", "SOCKET1,work,7", "QUBESRPC test.S+ work name dom0");
        byte[] connect = await source.Agent.ExpectAsync(QrexecMessageType.ServiceConnect);
        Assert.Equal([.. new ExecParams(0, 513).ToBytes(), .. RequestId.FromText("SOCKET1").Field.ToArray()], connect);
        await using IVchanListener listener = await source.Daemon.Guest.ListenAsync(0, 513);
        await using DataPeer caller = new(await listener.AcceptAsync().AsTask().WaitAsync(FakeAgent.Limit));
        await caller.GreetAsync();
        Assert.Equal(6, await caller.ReceiveToStatusAsync());
        Assert.Equal("work\n", caller.Output.ToString());
        Assert.Equal(QrexecMessageType.DataStderr, caller.Types[0]);
        Assert.Equal(6, await client.WaitAsync(FakeAgent.Limit));
    }

    [Theory]
    [InlineData("vault")]
    [InlineData("dom0")]
    public async Task A_request_that_can_not_be_connected_is_137(string target)
    {
        await using Guest source = await Guest.StartAsync(_scratch);
        Assert.Equal(137, await RunAsync(MemoryEnd.Source(""), "-d", target, "-c", "SOCKET1,work,7", "QUBESRPC test.S+ work name dom0"));
    }

    [Theory]
    [InlineData("DEFAULT:QUBESRPC test.S+ dom0", 4)]
    [InlineData("DEFAULT:nogui:QUBESRPC test.S+ dom0 name dom0", 4)]
    [InlineData("DEFAULT:QUBESRPC test.Missing+ dom0", 127)]
    [InlineData("DEFAULT:QUBESRPC test.S+ dom0 name", 125)]
    [InlineData("DEFAULT:QUBESRPC test.S+ dom0 name dom0 more", 125)]
    [InlineData("root:QUBESRPC test.S+ dom0", 125)]
    [InlineData("DEFAULT:ls", 125)]
    [InlineData("ls", 125)]
    public async Task Dom0_calls_itself_without_a_daemon(string command, int status)
    {
        _scratch.File("etc/qubes-rpc/test.S", "#!/bin/sh\nexit 4\n", executable: true);
        Assert.Equal(status, await RunAsync(MemoryEnd.Source(""), "-d", "@adminvm", command));
    }

    [Theory]
    [InlineData("-d vault")]
    [InlineData("u:c")]
    [InlineData("-d vault -x u:c")]
    [InlineData("-d vault -w 1s u:c")]
    [InlineData("-d vault -e -l true u:c")]
    [InlineData("-d vault -l true --use-stdin-socket u:c")]
    [InlineData("-d vault -c SOCKET1,work u:c")]
    [InlineData("-d vault -c SOCKET1,dom0,7 u:c")]
    [InlineData("-d vault -c SOCKET1,work,0 u:c")]
    [InlineData("-d vault -c SOCKET01234567890123456789012345,work,7 u:c")]
    public void Wrong_usage_is_told(string line) => Assert.Throws<UsageException>(() => QrexecClientOptions.Parse(line.Split(' ')));

    [Fact]
    public void The_prefix_may_be_given_once() =>
        Assert.Throws<BadOptionException>(() => QrexecClientOptions.Parse(["-p", "a", "-p", "b", "-d", "x", "u:c"]));

    [Theory]
    [InlineData("0x10", 16)]
    [InlineData("010", 8)]
    [InlineData("10", 10)]
    public void Numbers_have_the_usual_prefixes(string text, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), QrexecClientOptions.Parse(["-w", text, "-d", "x", "u:c"]).ConnectTimeout);

    [Fact]
    public void No_limit_is_a_limit_of_0() =>
        Assert.Equal(Timeout.InfiniteTimeSpan, QrexecClientOptions.Parse(["-w0", "-dx", "u:c"]).ConnectTimeout);

    // The call is pending as long as the policy has not answered, which it never does.
    private async Task PendAsync(Guest source)
    {
        FakeServer policy = new(source.Daemon.Paths.PolicySocket, endsWithEmptyLine: true, _ => new TaskCompletionSource<string>().Task);
        source.Owned.Add(policy);
        await source.Agent.TriggerAsync("x", "test.S", "SOCKET1");
        await policy.NextRequestAsync();
    }

    private Task<int> RunAsync(MemoryEnd input, params string[] arguments)
    {
        QrexecClientOptions options = QrexecClientOptions.Parse(arguments) with
        {
            Paths = new Qubes.Linux.QubesPaths(_scratch.Directory),
            SocketDirectory = _scratch.Path("run/qubes"),
            VchanSocketDirectory = _scratch.Path("v"),
        };
        return new QrexecClient(options, () => new CallerStreams { Input = input, Output = _output, Error = _error }, _log).RunAsync();
    }

    private sealed class Guest(TestDaemon daemon, FakeAgent agent) : IAsyncDisposable
    {
        public TestDaemon Daemon { get; } = daemon;

        public FakeAgent Agent { get; } = agent;

        public List<IAsyncDisposable> Owned { get; } = [];

        public static async Task<Guest> StartAsync(Scratch scratch, uint id = 7, string name = "work")
        {
            TestDaemon daemon = new(scratch, id, name);
            return new Guest(daemon, await daemon.StartAsync());
        }

        /// <summary>Takes the next command and connects its data link.</summary>
        public async Task<(string Command, DataPeer Service)> AcceptAsync(QrexecMessageType type)
        {
            byte[] body = await Agent.ExpectAsync(type);
            ExecParams place = ExecParams.Read(body);
            using CancellationTokenSource limit = new(FakeAgent.Limit);
            DataPeer service = new(await Daemon.Guest.ConnectAsync(place.Domain, place.Port, limit.Token));
            Owned.Add(service);
            await service.GreetAsync();
            return (Encoding.UTF8.GetString(body.AsSpan(ExecParams.Size)), service);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (IAsyncDisposable owned in Owned)
            {
                await owned.DisposeAsync();
            }

            await Agent.DisposeAsync();
            await Daemon.DisposeAsync();
        }
    }
}
