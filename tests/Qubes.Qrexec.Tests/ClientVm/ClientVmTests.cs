using System.Net.Sockets;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.ClientVm;
using Qubes.Qrexec.CommandLine;
using Qubes.Qrexec.Data;
using Qubes.Qrexec.Tests.Client;
using Qubes.Qrexec.Tests.Daemon;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Tests.ClientVm;

/// <summary>qrexec-client-vm against an agent and a service that the test plays.</summary>
public sealed class ClientVmTests : IDisposable
{
    private const uint OwnDomain = 7;
    private const uint ServiceDomain = 3;
    private const uint Port = 513;

    private readonly Scratch _scratch = new();
    private readonly MemoryEnd _output = new();
    private readonly MemoryEnd _error = new();
    private readonly StringWriter _log = new();
    private readonly Socket _agent = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public ClientVmTests()
    {
        _agent.Bind(new UnixDomainSocketEndPoint(_scratch.Path("agent")));
        _agent.Listen();
    }

    public void Dispose()
    {
        _agent.Dispose();
        _log.Dispose();
        _scratch.Dispose();
    }

    [Fact]
    public async Task A_call_asks_the_agent_and_carries_streams_and_status()
    {
        Task<int> client = RunAsync(MemoryEnd.Source("input"), "-p", "prefix ", "-s", "other", "$default", "test.S+arg");
        TriggerService? request = await ApproveAsync();
        Assert.Equal(("other", "@default", "test.S+arg"), (request!.RequestedSource, request.Target, request.Service));
        await using DataPeer service = await ConnectAsync();
        Assert.Equal("prefix input", await service.ReceiveInputAsync());
        await service.SendAsync(QrexecMessageType.DataStdout, "out");
        await service.SendAsync(QrexecMessageType.DataStderr, "err");
        await service.SendAsync(QrexecMessageType.DataStdout, "");
        await service.SendExitAsync(7);
        Assert.Equal(7, await client.WaitAsync(FakeAgent.Limit));
        Assert.Equal(("out", "err"), (_output.Output, _error.Output));
    }

    [Fact]
    public async Task The_connection_to_the_agent_lasts_as_long_as_the_call()
    {
        Task<int> client = RunAsync(MemoryEnd.Source(""), "work", "test.S");
        using Socket asked = await _agent.AcceptAsync();
        await ReadRequestAsync(asked);
        await asked.SendAsync(new ExecParams(ServiceDomain, Port).ToBytes());
        await using DataPeer service = await ConnectAsync();
        Assert.Equal("", await service.ReceiveInputAsync());
        Assert.False(asked.Poll(0, SelectMode.SelectRead), "the agent was told that the call is over");
        await service.SendExitAsync(0);
        Assert.Equal(0, await client.WaitAsync(FakeAgent.Limit));
        Assert.Equal(0, await asked.ReceiveAsync(new byte[1]).WaitAsync(FakeAgent.Limit));
    }

    [Fact]
    public async Task A_refusal_is_status_126_and_said_so()
    {
        Task<int> client = RunAsync(MemoryEnd.Source(""), "work", "test.S");
        using (Socket asked = await _agent.AcceptAsync())
        {
            await ReadRequestAsync(asked);
        }

        Assert.Equal(126, await client.WaitAsync(FakeAgent.Limit));
        Assert.Equal("Request refused\n", _log.ToString());
    }

    [Fact]
    public async Task A_cut_off_answer_and_an_absent_agent_are_status_1()
    {
        Task<int> client = RunAsync(MemoryEnd.Source(""), "work", "test.S");
        using (Socket asked = await _agent.AcceptAsync())
        {
            await ReadRequestAsync(asked);
            await asked.SendAsync(new byte[3]);
        }

        Assert.Equal(1, await client.WaitAsync(FakeAgent.Limit));
        Assert.Equal(1, await RunAsync(MemoryEnd.Source(""), "-a", _scratch.Path("none"), "work", "test.S").WaitAsync(FakeAgent.Limit));
    }

    [Fact]
    public async Task A_service_that_goes_away_without_a_status_is_255()
    {
        Task<int> client = RunAsync(MemoryEnd.Source("", ends: false), "work", "test.S");
        await ApproveAsync();
        await using (DataPeer service = await ConnectAsync())
        {
            await service.SendAsync(QrexecMessageType.DataStdout, "half");
        }

        Assert.Equal(255, await client.WaitAsync(FakeAgent.Limit));
        Assert.Equal("half", _output.Output);
    }

    [Fact]
    public async Task A_program_stands_in_for_our_streams_and_its_status_counts_when_the_service_is_content()
    {
        string program = _scratch.File("program", "#!/bin/sh\nread line\necho \"$1 got $line\"\nexit 5\n", executable: true);
        Task<int> client = RunAsync(MemoryEnd.Source(""), "work", "test.S", program, "word");
        await ApproveAsync();
        await using DataPeer service = await ConnectAsync();
        await service.SendAsync(QrexecMessageType.DataStdout, "hello\n");
        Assert.Equal("word got hello\n", await service.ReceiveInputAsync());
        await service.SendExitAsync(0);
        Assert.Equal(5, await client.WaitAsync(FakeAgent.Limit));
    }

    [Fact]
    public async Task A_status_of_the_service_hides_the_programs()
    {
        string program = _scratch.File("program", "#!/bin/sh\nexit 5\n", executable: true);
        Task<int> client = RunAsync(MemoryEnd.Source(""), "work", "test.S", program);
        await ApproveAsync();
        await using DataPeer service = await ConnectAsync();
        Assert.Equal("", await service.ReceiveInputAsync());
        await service.SendExitAsync(3);
        Assert.Equal(3, await client.WaitAsync(FakeAgent.Limit));
    }

    [Fact]
    public async Task Control_characters_are_replaced_where_asked()
    {
        Task<int> client = RunAsync(MemoryEnd.Source(""), "-t", "work", "test.S");
        await ApproveAsync();
        await using DataPeer service = await ConnectAsync();
        await service.SendAsync(QrexecMessageType.DataStdout, "a\u001b[31mb\n");
        await service.SendAsync(QrexecMessageType.DataStderr, "\u001b");
        await service.SendExitAsync(0);
        Assert.Equal(0, await client.WaitAsync(FakeAgent.Limit));
        Assert.Equal(("a_[31mb\n", "\u001b"), (_output.Output, _error.Output));
    }

    [Theory]
    [InlineData("work")]
    [InlineData("-x", "work", "test.S")]
    [InlineData("-p", "a", "-p", "b", "work", "test.S")]
    [InlineData("-s", "a", "-s", "b", "work", "test.S")]
    [InlineData("--use-stdin-socket", "work", "test.S", "/bin/true")]
    [InlineData("--buffer-size=x", "work", "test.S")]
    public void Mistakes_of_usage_are_told(params string[] words) =>
        Assert.Throws<UsageException>(() => ClientVmOptions.Parse(words, new QubesPaths(_scratch.Directory)));

    [Fact]
    public void Options_stop_at_the_target()
    {
        ClientVmOptions options = ClientVmOptions.Parse(["-T", "work", "test.S", "/bin/echo", "-n"], new QubesPaths(_scratch.Directory));
        Assert.Equal(["/bin/echo", "-n"], options.Program);
        Assert.Equal(_scratch.Path("run/qubes/qrexec-agent"), options.AgentSocket);
    }

    private Task<int> RunAsync(MemoryEnd input, params string[] words)
    {
        ClientVmOptions options = ClientVmOptions.Parse(["-a", _scratch.Path("agent"), .. words], new QubesPaths(_scratch.Directory));
        return new Qubes.Qrexec.ClientVm.ClientVm(
            options, new SocketVchanTransport(_scratch.Directory, OwnDomain),
            () => new CallerStreams { Input = input, Output = _output, Error = _error }, _log).RunAsync();
    }

    private async Task<TriggerService?> ApproveAsync()
    {
        using Socket asked = await _agent.AcceptAsync();
        TriggerService? request = await ReadRequestAsync(asked);
        await asked.SendAsync(new ExecParams(ServiceDomain, Port).ToBytes());
        return request;
    }

    private async Task<DataPeer> ConnectAsync()
    {
        SocketVchanTransport transport = new(_scratch.Directory, ServiceDomain);
        DataPeer peer = new(await transport.ConnectAsync(OwnDomain, Port).AsTask().WaitAsync(FakeAgent.Limit));
        await peer.GreetAsync();
        return peer;
    }

    private static async Task<TriggerService?> ReadRequestAsync(Socket asked)
    {
        byte[] message = new byte[4096];
        int length = await asked.ReceiveAsync(message).WaitAsync(FakeAgent.Limit);
        QrexecHeader header = QrexecHeader.Read(message);
        Assert.Equal((QrexecMessageType.TriggerService4, length - QrexecHeader.Size), (header.Type, (int)header.Length));
        TriggerService? request = TriggerService.Read(header.Type, message.AsSpan(QrexecHeader.Size, (int)header.Length), out RequestId id);
        Assert.Equal("SOCKET", id.Text);
        return request;
    }
}
