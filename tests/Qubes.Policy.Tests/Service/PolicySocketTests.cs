using System.Net.Sockets;
using System.Text;
using Qubes.Linux;
using Qubes.Policy.Service;
using Qubes.Policy.SystemState;

namespace Qubes.Policy.Tests.Service;

public sealed class PolicySocketTests : IAsyncDisposable
{
    private const UnixFileMode GroupOnly =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private readonly ScratchRoot _root = new();
    private readonly ServiceFixture _fixture = new("svc.Test * work bank allow", "policy.Eval * work bank ask");
    private readonly List<(UnixListener Listener, Task Serving)> _evaluations = [];
    private readonly List<PolicyServer> _servers = [];
    private readonly List<Exception> _failures = [];
    private readonly Reactor _reactor;
    private readonly ModelLoop _loop;

    public PolicySocketTests()
    {
        _reactor = new Reactor(e => _failures.Add(e));
        _loop = new ModelLoop(e => _failures.Add(e), waiter: _reactor);
        Evaluate("simple", isForGui: false);
        Evaluate("gui", isForGui: true);
    }

    public async ValueTask DisposeAsync()
    {
        await _loop.InvokeAsync(() => _servers.ForEach(s => s.Dispose()));
        await _loop.DisposeAsync();
        _reactor.Dispose();
        foreach ((UnixListener listener, Task serving) in _evaluations)
        {
            listener.Dispose();
            await serving.WaitAsync(TimeSpan.FromSeconds(30));
        }

        _root.Dispose();
        Assert.Empty(_failures);
    }

    /// <summary>Serves <c>policy.sock</c> on a loop, as the daemon does.</summary>
    private async Task ServeAsync(TimeSpan? timeout = null)
    {
        UnixListener listener = UnixListener.Bind(_root["policy.sock"], GroupOnly, backlog: PolicyServer.Backlog);
        await _loop.InvokeAsync(() => _servers.Add(
            new PolicyServer(_reactor, listener, _fixture.Service, _fixture.Log) { RequestTimeout = timeout ?? TimeSpan.FromSeconds(60) }));
    }

    private void Evaluate(string name, bool isForGui)
    {
        UnixListener listener = UnixListener.Bind(_root[name], GroupOnly);
        EvaluationConnection connection = new(_fixture.Service, _fixture.SystemAsync, isForGui, _fixture.Log);
        _evaluations.Add((listener, new EvaluationServer(connection, _fixture.Log).RunAsync(listener, CancellationToken.None)));
    }

    private async Task<string> DecideAsync(string request, bool end = true)
    {
        await ServeAsync();
        return await CallAsync("policy.sock", request, end);
    }

    private async Task<string> CallAsync(string name, string request, bool end = true)
    {
        using Socket socket = await UnixAddress.ConnectAsync(_root[name]);
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(30));
        byte[] answer = new byte[4096];
        int length = 0;
        try
        {
            await socket.SendAsync(Encoding.Latin1.GetBytes(request), deadline.Token);
            if (end)
            {
                socket.Shutdown(SocketShutdown.Send);
            }

            while (await socket.ReceiveAsync(answer.AsMemory(length), deadline.Token) is var read and > 0)
            {
                length += read;
            }
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            // What was sent too much is thrown away with the connection.
        }

        return Encoding.ASCII.GetString(answer, 0, length);
    }

    private const string Good = "source=work\nintended_target=bank\nservice_and_arg=svc.Test+x\n";

    [Theory]
    [InlineData(Good + "\n", false)]
    [InlineData(Good, true)]
    [InlineData("service_and_arg=svc.Test+x\nsource=work\nintended_target=bank", true)]
    [InlineData(Good + "requested_source=\njust_evaluate=no\nassume_yes_for_ask=no\n\n", false)]
    public async Task A_request_ends_with_an_empty_line_or_the_end_of_input(string request, bool end) =>
        Assert.Equal(
            $"user=DEFAULT\nresult=allow\ntarget=bank\ntarget_uuid=uuid:{TestSystem.BankUuid}\nautostart=True\nrequested_target=bank",
            await DecideAsync(request, end));

    [Theory]
    [InlineData(Good + "just_evaluate=yes\n\n", "result=allow")]
    [InlineData("source=work\nintended_target=bank\nservice_and_arg=policy.Eval\njust_evaluate=yes\n\n", "result=deny")]
    [InlineData("source=work\nintended_target=bank\nservice_and_arg=policy.Eval\njust_evaluate=yes\nassume_yes_for_ask=yes\n\n", "result=allow")]
    [InlineData("source=work\nintended_target=\nservice_and_arg=svc.Test\n\n", "result=deny")]
    [InlineData(Good + "requested_source=far\n\n", "result=deny")]
    public async Task All_keys_are_understood(string request, string expected) =>
        Assert.Equal(expected, await DecideAsync(request));

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("source=work\nintended_target=bank\n\n")]
    [InlineData("source=work\nservice_and_arg=svc.Test\n\n")]
    [InlineData("intended_target=bank\nservice_and_arg=svc.Test\n\n")]
    [InlineData("source=\nintended_target=bank\nservice_and_arg=svc.Test\n\n")]
    [InlineData(Good + "source=work\n\n")]
    [InlineData(Good + "domain_id=1\n\n")]
    [InlineData(Good + "just_evaluate=1\n\n")]
    [InlineData(Good + "assume_yes_for_ask=\n\n")]
    [InlineData(Good + "nonsense\n\n")]
    [InlineData(Good + "requested_source=\u00e9\n\n")]
    [InlineData(Good + "requested_source=a\0b\n\n")]
    public async Task Anything_else_gets_no_answer_and_decides_nothing(string request)
    {
        Assert.Equal("", await DecideAsync(request));
        Assert.StartsWith("Warning: policy request refused: ", Assert.Single(_fixture.Log.Lines));
    }

    [Fact]
    public async Task A_request_without_end_is_cut_off()
    {
        await ServeAsync();
        Assert.Equal("", await CallAsync("policy.sock", new string('x', 300_000), end: false));
        Assert.Equal("", await CallAsync("policy.sock", "source=" + new string('x', 65_536) + "\nintended_target=b\nservice_and_arg=s\n\n"));
        Assert.Contains("target=bank", await CallAsync("policy.sock", Good));
    }

    [Fact]
    public async Task A_long_service_name_is_no_problem() =>
        Assert.Equal("result=deny", await DecideAsync($"source=work\nintended_target=bank\nservice_and_arg=x+{new string('y', 65_000)}\n\n"));

    [Fact]
    public async Task A_client_that_says_nothing_is_let_go()
    {
        await ServeAsync(TimeSpan.FromMilliseconds(1));
        Assert.Equal("", await CallAsync("policy.sock", "source=work\n", end: false));
        Assert.Contains("did not come in time", Assert.Single(_fixture.Log.Lines));
    }

    [Fact]
    public async Task Many_clients_at_once_get_their_own_answers()
    {
        await ServeAsync();
        string[] answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => CallAsync(
            "policy.sock", $"source=work\nintended_target={(i % 2 == 0 ? "bank" : "gui")}\nservice_and_arg=svc.Test\n\n")));
        Assert.All(answers.Index(), a => Assert.Equal(a.Index % 2 == 0, a.Item.Contains("target=bank", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_request_may_come_byte_by_byte()
    {
        await ServeAsync();
        using Socket socket = await UnixAddress.ConnectAsync(_root["policy.sock"]);
        foreach (byte b in Encoding.ASCII.GetBytes(Good + "\n"))
        {
            await socket.SendAsync(new[] { b });
        }

        byte[] answer = new byte[1000];
        int length = await socket.ReceiveAsync(answer).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.StartsWith("user=DEFAULT\n", Encoding.ASCII.GetString(answer, 0, length));
    }

    [Fact]
    public async Task Idle_clients_do_not_keep_others_out()
    {
        await ServeAsync();
        List<Socket> idle = [];
        for (int i = 0; i < 1200; i++)
        {
            idle.Add(await UnixAddress.ConnectAsync(_root["policy.sock"]));
        }

        Assert.Contains("target=bank", await CallAsync("policy.sock", Good));
        Assert.Equal(0, await idle[0].ReceiveAsync(new byte[1]).WaitAsync(TimeSpan.FromSeconds(30)));
        idle.ForEach(s => s.Dispose());
    }

    [Fact]
    public async Task Other_calls_are_decided_while_a_person_thinks()
    {
        TaskCompletionSource<string> answer = new();
        _fixture.Agent.Answer = _ => answer.Task;
        await ServeAsync();
        Task<string> asked = CallAsync("policy.sock", "source=work\nintended_target=bank\nservice_and_arg=policy.Eval\n");
        await _fixture.Agent.NextAsync();
        Assert.Contains("target=bank", await CallAsync("policy.sock", Good));
        Assert.False(asked.IsCompleted);
        answer.SetResult("allow:bank");
        Assert.Contains("target=bank", await asked);
    }

    [Fact]
    public async Task A_question_is_taken_back_when_the_caller_is_gone()
    {
        TaskCompletionSource withdrawn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _fixture.Agent.Withdrawn = withdrawn.SetResult;
        _fixture.Agent.Answer = _ => new TaskCompletionSource<string>().Task;
        await ServeAsync();
        using (Socket socket = await UnixAddress.ConnectAsync(_root["policy.sock"]))
        {
            await socket.SendAsync("source=work\nintended_target=bank\nservice_and_arg=policy.Eval\n\n"u8.ToArray());
            await _fixture.Agent.NextAsync();
        }

        await withdrawn.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData("policy.EvalSimple+svc.Test+x gui\0work\0bank", "result=allow\n")]
    [InlineData("policy.EvalSimple+svc.Test gui keyword adminvm\0work\0bank", "result=allow\n")]
    [InlineData("policy.EvalSimple+policy.Eval gui\0work\0bank", "result=allow\n")]
    [InlineData("policy.EvalSimple+svc.Test gui\0work\0gui", "result=deny\n")]
    [InlineData("policy.EvalSimple+svc.Test gui\0work\0@default", "result=deny\n")]
    [InlineData("policy.EvalSimple+svc.Test+x gui\0work\0", "")]
    [InlineData("policy.EvalSimple+svc.Test+x gui\0\0bank", "")]
    [InlineData("policy.EvalSimple+svc.Test+x gui\0work", "")]
    [InlineData("policy.EvalSimple+svc.Test+x gui", "")]
    [InlineData("policy.EvalSimple+svc.Test+x gui\0work\0bank\0", "")]
    [InlineData("policy.EvalSimple+svc.Test+x gui\0work\0\0bank", "")]
    [InlineData("policy.EvalSimple+svc.Test+x gui\0work\0ba\nnk", "")]
    [InlineData("policy.EvalSimple+svc.Test+x gui\0work\0@dispvm:x", "")]
    [InlineData("policy.EvalSimple+svc.Test+x gui\0wo\u00e9k\0bank", "")]
    [InlineData("policy.EvalSimple gui\0work\0bank", "")]
    [InlineData("policy.EvalSimple+ gui\0work\0bank", "")]
    [InlineData("policy.EvalSimple++x gui\0work\0bank", "")]
    [InlineData("policy.EvalOther+svc.Test gui\0work\0bank", "")]
    [InlineData("policy.EvalSimple+svc.Test\0work\0bank", "")]
    public async Task An_evaluation_answers_only_what_is_well_formed(string call, string expected) =>
        Assert.Equal(expected, await CallAsync("simple", call));

    [Theory]
    [InlineData(31, 63, true)]
    [InlineData(32, 63, false)]
    [InlineData(31, 64, false)]
    [InlineData(1, 70_000, false)]
    public async Task An_evaluation_has_bounds_for_names(int source, int target, bool isAnswered) =>
        Assert.Equal(
            isAnswered ? "result=deny\n" : "",
            await CallAsync("simple", $"policy.EvalSimple+svc gui\0{new string('s', source)}\0{new string('t', target)}"));

    [Theory]
    [InlineData("work", "bank", "result=allow\n")]
    [InlineData("work", "gui", "")]
    [InlineData("gui", "bank", "")]
    [InlineData("gui", "gui", "")]
    [InlineData("nothere", "bank", "")]
    public async Task A_gui_qube_learns_only_about_qubes_it_shows(string source, string target, string expected)
    {
        _fixture.System = new SystemInfo(TestSystem.Info.Qubes.Select(
            q => q.Name is "work" or "bank" ? q with { Tags = [.. q.Tags, "guivm-gui"] } : q));
        Assert.Equal(expected, await CallAsync("gui", $"policy.EvalGUI+svc.Test gui\0{source}\0{target}"));
    }
}
