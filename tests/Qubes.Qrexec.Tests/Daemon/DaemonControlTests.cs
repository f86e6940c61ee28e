using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Tests.Daemon;

/// <summary>The control link: versions, requests, refusals, broken agents.</summary>
public sealed class DaemonControlTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData(2u)]
    [InlineData(3u)]
    [InlineData(4u)]
    [InlineData(7u)]
    public async Task The_agents_version_is_answered_with_the_number_it_sent(uint version)
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeAgent agent = await daemon.StartAsync(version);
        Assert.True(File.Exists(daemon.SocketPath));
    }

    [Fact]
    public async Task An_agent_that_is_too_old_ends_the_daemon_without_an_answer()
    {
        await using TestDaemon daemon = new(_scratch);
        IVchanListener control = await daemon.Guest.ListenAsync(0, QrexecPorts.Control);
        daemon.Run();
        await using FakeAgent agent = new(await control.AcceptAsync());
        await agent.Vchan.WriteAsync(QrexecHello.Message(1));
        Assert.Equal(0, await agent.Vchan.ReadAsync(new byte[1]).AsTask().WaitAsync(FakeAgent.Limit));
        Assert.Equal(1, await daemon.Exit.WaitAsync(FakeAgent.Limit));
    }

    [Fact]
    public async Task An_agent_that_never_comes_ends_the_daemon_with_3()
    {
        await using TestDaemon daemon = new(_scratch, startup: TimeSpan.FromMilliseconds(50));
        daemon.Run();
        Assert.Equal(3, await daemon.Exit.WaitAsync(FakeAgent.Limit));
        Assert.False(daemon.Ready.Task.IsCompleted);
    }

    [Fact]
    public async Task A_denied_call_is_refused_with_its_id_and_the_policy_is_asked_in_its_own_words()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, "result=deny\n");
        await using FakeAgent agent = await daemon.StartAsync();
        await agent.TriggerAsync("target$1", "qubes.Service+a b", "SOCKET11", source: "remote");
        await agent.ExpectRefusalAsync("SOCKET11");
        Assert.Equal(
            "source=work\nrequested_source=remote\nintended_target=target_1\nservice_and_arg=qubes.Service+a_b\n\n",
            await policy.NextRequestAsync());
    }

    [Fact]
    public async Task Older_agents_ask_without_a_claimed_source()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, "result=deny");
        await using FakeAgent agent = await daemon.StartAsync(3);
        await agent.SendAsync(QrexecMessageType.TriggerService3, TriggerBytes("", "test.S\0"u8.ToArray())[64..]);
        await agent.ExpectRefusalAsync("SOCKET1");
        Assert.Equal("source=work\nintended_target=\nservice_and_arg=test.S\n\n", await policy.NextRequestAsync());
    }

    [Theory]
    [InlineData("result=allow\nuser=DEFAULT\ntarget=x\nrequested_target=x\n")]
    [InlineData("result=allow\nuser=DEFAULT\ntarget=x\nrequested_target=x\nautostart=yes\n")]
    [InlineData("result=deny\nuser=x\n")]
    [InlineData("result=deny\nresult=deny\n")]
    [InlineData("result=maybe\n")]
    [InlineData("result\n")]
    [InlineData("")]
    public async Task A_malformed_answer_is_a_refusal(string answer)
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, answer);
        await using FakeAgent agent = await daemon.StartAsync();
        await agent.TriggerAsync("x", "test.S", "SOCKET1");
        await agent.ExpectRefusalAsync("SOCKET1");
    }

    [Fact]
    public async Task Without_a_policy_socket_calls_are_refused()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeAgent agent = await daemon.StartAsync();
        await agent.TriggerAsync("x", "test.S", "SOCKET1");
        await agent.ExpectRefusalAsync("SOCKET1");
    }

    [Fact]
    public async Task The_policy_program_is_asked_when_the_socket_is_missing_but_not_for_relays()
    {
        await using TestDaemon daemon = new(_scratch);
        string asked = _scratch.Path("asked");
        _scratch.File("policy-program", $"#!/bin/sh\necho \"$@\" >> {asked}\necho result=deny\n", executable: true);
        await using FakeAgent agent = await daemon.StartAsync();
        await agent.TriggerAsync("x", "test.S+a", "SOCKET1");
        await agent.ExpectRefusalAsync("SOCKET1");
        await agent.TriggerAsync("x", "test.S+b", "SOCKET1", source: "remote");
        await agent.ExpectRefusalAsync("SOCKET1");
        Assert.Equal("-- work x test.S+a\n", await File.ReadAllTextAsync(asked));
    }

    [Theory]
    [InlineData("SOCKET\u0001", "test.S\0")]
    [InlineData("SOCKET1\0x", "test.S\0")]
    [InlineData("SOCKET1", "test.S")]
    [InlineData("SOCKET1", "\0")]
    [InlineData("SOCKET1", "\0test.S\0")]
    [InlineData("SOCKET1", "te\0st.S\0")]
    [InlineData("SOCKET1", "test.S\0\0")]
    [InlineData("SOCKET1", "+\0")]
    [InlineData("SOCKET1", "+a\0")]
    public async Task Malformed_requests_are_refused_without_asking_the_policy(string id, string service)
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, "result=deny\n");
        await using FakeAgent agent = await daemon.StartAsync();
        byte[] body = TriggerBytes(id, QrexecCommand.ToBytes(service));
        await agent.SendAsync(QrexecMessageType.TriggerService4, body);
        Assert.Equal(body[128..160], await agent.ExpectAsync(QrexecMessageType.ServiceRefused));
        Assert.Equal(0, policy.Count);
    }

    [Fact]
    public async Task An_empty_id_goes_to_the_policy()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, "result=deny\n");
        await using FakeAgent agent = await daemon.StartAsync();
        await agent.TriggerAsync("x", "test.S", "");
        await agent.ExpectRefusalAsync("");
        Assert.Equal(1, policy.Count);
    }

    [Theory]
    [InlineData(4u, QrexecMessageType.TriggerService, 128)]
    [InlineData(4u, QrexecMessageType.TriggerService4, 96)]
    [InlineData(4u, QrexecMessageType.TriggerService4, 160)]
    [InlineData(4u, QrexecMessageType.TriggerService4, 65161)]
    [InlineData(3u, QrexecMessageType.TriggerService4, 170)]
    [InlineData(3u, QrexecMessageType.TriggerService, 128)]
    [InlineData(2u, QrexecMessageType.TriggerService3, 100)]
    [InlineData(4u, QrexecMessageType.ConnectionTerminated, 8)]
    [InlineData(4u, QrexecMessageType.ConnectionTerminated, 12)]
    [InlineData(4u, QrexecMessageType.ExecCmdline, 9)]
    [InlineData(4u, (QrexecMessageType)0x41414141, 0x41414141)]
    public async Task A_broken_agent_ends_its_daemon_and_nothing_is_asked(uint version, QrexecMessageType type, int length)
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, "result=deny\n");
        await using FakeAgent agent = await daemon.StartAsync(version);
        byte[] header = new byte[8];
        new QrexecHeader(type, (uint)length).Write(header);
        await agent.Vchan.WriteAsync(header);
        try
        {
            await agent.Vchan.WriteAsync(new byte[Math.Min(length, 100_000)]);
        }
        catch (VchanClosedException)
        {
            // The header was enough.
        }

        Assert.Equal(1, await daemon.Exit.WaitAsync(FakeAgent.Limit));
        Assert.False(File.Exists(daemon.SocketPath));
        Assert.Equal(0, policy.Count);
    }

    [Fact]
    public async Task More_undecided_calls_than_the_limit_are_refused_and_the_others_stay()
    {
        await using TestDaemon daemon = new(_scratch);
        TaskCompletionSource<string> answer = new();
        await using FakeServer policy = new(daemon.Paths.PolicySocket, endsWithEmptyLine: true, _ => answer.Task);
        await using FakeAgent agent = await daemon.StartAsync();
        for (int i = 0; i < 257; i++)
        {
            await agent.TriggerAsync("x", "test.S", $"SOCKET{i}");
        }

        await agent.ExpectRefusalAsync("SOCKET256");
        answer.SetResult("result=deny\n");
        for (int i = 0; i < 256; i++)
        {
            await agent.ExpectAsync(QrexecMessageType.ServiceRefused);
        }
    }

    private static byte[] TriggerBytes(string id, byte[] service)
    {
        byte[] body = new byte[160 + service.Length];
        QrexecCommand.ToBytes(id.Length == 0 ? "SOCKET1" : id).CopyTo(body, 128);
        service.CopyTo(body, 160);
        return body;
    }
}
