using System.Text;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Tests.Daemon;

/// <summary>Calls from one qube to another: through the target's daemon, started or made on demand.</summary>
public sealed class DaemonCallTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task An_allowed_call_is_executed_there_and_connected_here()
    {
        await using TestDaemon source = new(_scratch);
        await using TestDaemon target = new(_scratch, 8, "vault");
        await using FakeServer policy = FakeServer.Policy(source.Paths.PolicySocket, Allow("vault"));
        await using FakeAgent caller = await source.StartAsync();
        await using FakeAgent service = await target.StartAsync();

        await caller.TriggerAsync("@default", "test.S", "SOCKET1");
        Assert.Equal(
            new ExecRequest(new ExecParams(7, 513), "alice:QUBESRPC test.S+ work"u8.ToArray()).ToBody(),
            await service.ExpectAsync(QrexecMessageType.ExecCmdline));
        byte[] connect = await caller.ExpectAsync(QrexecMessageType.ServiceConnect);
        Assert.Equal([.. new ExecParams(8, 513).ToBytes(), .. RequestId.FromText("SOCKET1").Field.Span], connect);

        await service.TerminatedAsync(7, 513);
        await caller.TerminatedAsync(8, 513);
        await caller.TriggerAsync("@default", "test.S+arg+x", "SOCKET1");
        Assert.Equal(
            new ExecRequest(new ExecParams(7, 513), "alice:QUBESRPC test.S+arg+x work"u8.ToArray()).ToBody(),
            await service.ExpectAsync(QrexecMessageType.ExecCmdline));
    }

    [Fact]
    public async Task The_uuid_a_replaced_service_and_a_replaced_source_of_the_answer_are_used()
    {
        await using TestDaemon source = new(_scratch);
        await using TestDaemon target = new(_scratch, 8, "vault");
        await using FakeServer policy = FakeServer.Policy(
            source.Paths.PolicySocket,
            Allow("renamed", user: "bob") + $"target_uuid=uuid:{target.Uuid}\nservice=qubes.Relay+remote+test.S+\npolicy_source=far\nnew_key=x\n");
        await using FakeAgent caller = await source.StartAsync();
        await using FakeAgent service = await target.StartAsync();
        await caller.TriggerAsync("remote", "test.S", "SOCKET1", source: "far");
        byte[] body = await service.ExpectAsync(QrexecMessageType.ExecCmdline);
        Assert.Equal("bob:QUBESRPC qubes.Relay+remote+test.S+ far\0", Encoding.ASCII.GetString(body.AsSpan(8)));
    }

    [Fact]
    public async Task A_call_to_the_calling_qube_itself_arrives_as_a_command()
    {
        await using TestDaemon daemon = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(daemon.Paths.PolicySocket, Allow("work"));
        await using FakeAgent agent = await daemon.StartAsync();
        await agent.TriggerAsync("work", "test.S", "SOCKET1");
        Assert.Equal(new ExecParams(7, 513), ExecParams.Read(await agent.ExpectAsync(QrexecMessageType.ExecCmdline)));
        Assert.Equal(new ExecParams(7, 513), ExecParams.Read(await agent.ExpectAsync(QrexecMessageType.ServiceConnect)));
    }

    [Theory]
    [InlineData("0\0")]
    [InlineData("2\0QubesVMNotHaltedError\0\0already running\0")]
    public async Task A_halted_target_is_started_when_the_policy_allows_it(string reply)
    {
        await using TestDaemon source = new(_scratch);
        await using TestDaemon target = new(_scratch, 8, "vault");
        await using FakeServer policy = FakeServer.Policy(source.Paths.PolicySocket, Allow("vault"));
        TaskCompletionSource<FakeAgent> started = new();
        await using FakeServer qubesd = new(source.Paths.AdminSocket, endsWithEmptyLine: false, async _ =>
        {
            started.SetResult(await target.StartAsync());
            return reply;
        });
        await using FakeAgent caller = await source.StartAsync();
        await caller.TriggerAsync("vault", "test.S", "SOCKET1");
        await caller.ExpectAsync(QrexecMessageType.ServiceConnect);
        Assert.Equal("admin.vm.Start+ dom0 name vault\0", await qubesd.NextRequestAsync());
        await (await started.Task).DisposeAsync();
    }

    [Theory]
    [InlineData("False", "0\0")]
    [InlineData("True", "2\0QubesVMError\0\0no\0")]
    [InlineData("True", "")]
    [InlineData("True", "0\0")]
    public async Task A_target_that_can_not_be_had_is_a_refusal(string autostart, string reply)
    {
        await using TestDaemon source = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(source.Paths.PolicySocket, Allow("vault", autostart: autostart));
        await using FakeServer qubesd = new(source.Paths.AdminSocket, endsWithEmptyLine: false, _ => Task.FromResult(reply));
        await using FakeAgent caller = await source.StartAsync();
        await caller.TriggerAsync("vault", "test.S", "SOCKET1");
        await caller.ExpectRefusalAsync("SOCKET1");
        Assert.Equal(autostart == "True" ? 1 : 0, qubesd.Count);
    }

    [Theory]
    [InlineData("target=../../etc\n")]
    [InlineData("user=a:b\n")]
    [InlineData("user=a b\n")]
    [InlineData("service=test.S x\n")]
    [InlineData("policy_source=a b\n")]
    public async Task An_answer_that_would_change_the_meaning_of_the_command_is_a_refusal(string change)
    {
        await using TestDaemon source = new(_scratch);
        string key = change[..change.IndexOf('=', StringComparison.Ordinal)];
        string answer = string.Concat(Allow("work").Split('\n').Where(l => l.Length > 0 && !l.StartsWith(key + "=", StringComparison.Ordinal)).Select(l => l + "\n"));
        await using FakeServer policy = FakeServer.Policy(source.Paths.PolicySocket, answer + change);
        await using FakeAgent caller = await source.StartAsync();
        await caller.TriggerAsync("work", "test.S", "SOCKET1");
        await caller.ExpectRefusalAsync("SOCKET1");
    }

    [Fact]
    public async Task A_disposable_is_made_used_and_killed_when_the_call_has_ended()
    {
        await using TestDaemon source = new(_scratch);
        await using TestDaemon target = new(_scratch, 8, "disp1");
        string template = "uuid:11111111-2222-3333-4444-555555555555";
        await using FakeServer policy = FakeServer.Policy(source.Paths.PolicySocket, Allow("@dispvm:dvm") + $"target_uuid=@dispvm:{template}\n");
        await using FakeServer qubesd = new(source.Paths.AdminSocket, endsWithEmptyLine: false,
            request => Task.FromResult(request.Contains("CreateDisposable", StringComparison.Ordinal) ? "0\0uuid:" + target.Uuid : "0\0"));
        await using FakeAgent caller = await source.StartAsync();
        await using FakeAgent service = await target.StartAsync();
        await caller.TriggerAsync("@dispvm", "test.S", "SOCKET1");
        await service.ExpectAsync(QrexecMessageType.ExecCmdline);
        Assert.Equal(new ExecParams(8, 513), ExecParams.Read(await caller.ExpectAsync(QrexecMessageType.ServiceConnect)));
        Assert.Equal($"admin.vm.CreateDisposable+ dom0 name {template}\0uuid", await qubesd.NextRequestAsync());
        Assert.Equal($"admin.vm.Start+ dom0 name uuid:{target.Uuid}\0", await qubesd.NextRequestAsync());
        Assert.Equal(0, qubesd.Count);
        await service.TerminatedAsync(7, 513);
        Assert.Equal($"admin.vm.Kill+ dom0 name uuid:{target.Uuid}\0", await qubesd.NextRequestAsync());
    }

    [Fact]
    public async Task A_disposable_that_does_not_start_is_killed_and_the_call_refused()
    {
        await using TestDaemon source = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(source.Paths.PolicySocket, Allow("@dispvm:dvm"));
        await using FakeServer qubesd = new(source.Paths.AdminSocket, endsWithEmptyLine: false,
            request => Task.FromResult(request.Contains("Start", StringComparison.Ordinal) ? "2\0QubesVMError\0\0no\0" : "0\0disp1"));
        await using FakeAgent caller = await source.StartAsync();
        await caller.TriggerAsync("@dispvm", "test.S", "SOCKET1");
        await caller.ExpectRefusalAsync("SOCKET1");
        Assert.Equal("admin.vm.CreateDisposable+ dom0 name dvm\0", await qubesd.NextRequestAsync());
        Assert.Equal("admin.vm.Start+ dom0 name disp1\0", await qubesd.NextRequestAsync());
        Assert.Equal("admin.vm.Kill+ dom0 name disp1\0", await qubesd.NextRequestAsync());
    }

    [Fact]
    public async Task A_disposable_still_in_use_is_killed_when_the_daemon_stops()
    {
        TestDaemon source = new(_scratch);
        await using TestDaemon target = new(_scratch, 8, "disp1");
        await using FakeServer policy = FakeServer.Policy(source.Paths.PolicySocket, Allow("@dispvm:dvm"));
        await using FakeServer qubesd = new(source.Paths.AdminSocket, endsWithEmptyLine: false, _ => Task.FromResult("0\0disp1"));
        await using FakeAgent caller = await source.StartAsync();
        await using FakeAgent service = await target.StartAsync();
        await caller.TriggerAsync("@dispvm", "test.S", "SOCKET1");
        await caller.ExpectAsync(QrexecMessageType.ServiceConnect);
        await qubesd.NextRequestAsync();
        await qubesd.NextRequestAsync();
        Assert.Equal(0, await source.StopAsync());
        Assert.Equal("admin.vm.Kill+ dom0 name disp1\0", await qubesd.NextRequestAsync());
    }

    [Fact]
    public async Task A_disposable_without_autostart_is_a_refusal_and_none_is_made()
    {
        await using TestDaemon source = new(_scratch);
        await using FakeServer policy = FakeServer.Policy(source.Paths.PolicySocket, Allow("@dispvm:dvm", autostart: "False"));
        await using FakeServer qubesd = new(source.Paths.AdminSocket, endsWithEmptyLine: false, _ => Task.FromResult("0\0disp1"));
        await using FakeAgent caller = await source.StartAsync();
        await caller.TriggerAsync("@dispvm", "test.S", "SOCKET1");
        await caller.ExpectRefusalAsync("SOCKET1");
        Assert.Equal(0, qubesd.Count);
    }

    [Fact]
    public async Task Undecided_calls_of_an_agent_that_left_are_forgotten()
    {
        await using TestDaemon daemon = new(_scratch);
        TaskCompletionSource<string> answer = new();
        await using FakeServer policy = new(daemon.Paths.PolicySocket, endsWithEmptyLine: true, _ => answer.Task);
        FakeAgent agent = await daemon.StartAsync();
        await agent.TriggerAsync("x", "test.S", "SOCKET1");
        await policy.NextRequestAsync();
        IVchanListener again = await daemon.Guest.ListenAsync(0, QrexecPorts.Control);
        await agent.DisposeAsync();
        await using FakeAgent next = new(await again.AcceptAsync().AsTask().WaitAsync(FakeAgent.Limit));
        await next.GreetAsync(4);
        answer.SetResult("result=deny\n");
        await next.TriggerAsync("x", "test.S", "SOCKET2");
        await next.ExpectRefusalAsync("SOCKET2");
    }

    internal static string Allow(string target, string user = "DEFAULT", string autostart = "True", string requested = "@default") =>
        $"result=allow\nuser={user}\ntarget={target}\nrequested_target={requested}\nautostart={autostart}\n";
}
