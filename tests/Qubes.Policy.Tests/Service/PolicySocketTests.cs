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
    private readonly List<(UnixListener Listener, Task Serving)> _servers = [];

    public PolicySocketTests()
    {
        Serve("policy.sock", new PolicyConnection(_fixture.Service, _fixture.Log).ServeAsync);
        Serve("simple", new EvaluationConnection(_fixture.Service, _fixture.SystemAsync, isForGui: false, _fixture.Log).ServeAsync);
        Serve("gui", new EvaluationConnection(_fixture.Service, _fixture.SystemAsync, isForGui: true, _fixture.Log).ServeAsync);
    }

    public async ValueTask DisposeAsync()
    {
        foreach ((UnixListener listener, Task serving) in _servers)
        {
            listener.Dispose();
            await serving.WaitAsync(TimeSpan.FromSeconds(30));
        }

        _root.Dispose();
    }

    private void Serve(string name, Func<Stream, CancellationToken, Task> serve)
    {
        UnixListener listener = UnixListener.Bind(_root[name], GroupOnly, backlog: PolicyServer.Backlog);
        _servers.Add((listener, new PolicyServer(serve, _fixture.Log).RunAsync(listener, CancellationToken.None)));
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
            await CallAsync("policy.sock", request, end));

    [Theory]
    [InlineData(Good + "just_evaluate=yes\n\n", "result=allow")]
    [InlineData("source=work\nintended_target=bank\nservice_and_arg=policy.Eval\njust_evaluate=yes\n\n", "result=deny")]
    [InlineData("source=work\nintended_target=bank\nservice_and_arg=policy.Eval\njust_evaluate=yes\nassume_yes_for_ask=yes\n\n", "result=allow")]
    [InlineData("source=work\nintended_target=\nservice_and_arg=svc.Test\n\n", "result=deny")]
    [InlineData(Good + "requested_source=far\n\n", "result=deny")]
    public async Task All_keys_are_understood(string request, string expected) =>
        Assert.Equal(expected, await CallAsync("policy.sock", request));

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
        Assert.Equal("", await CallAsync("policy.sock", request));
        Assert.StartsWith("Warning: policy request refused: ", Assert.Single(_fixture.Log.Lines));
    }

    [Fact]
    public async Task A_request_without_end_is_cut_off()
    {
        Assert.Equal("", await CallAsync("policy.sock", new string('x', 300_000), end: false));
        Assert.Equal("", await CallAsync("policy.sock", "source=" + new string('x', 65_536) + "\nintended_target=b\nservice_and_arg=s\n\n"));
        Assert.Contains("target=bank", await CallAsync("policy.sock", Good));
    }

    [Fact]
    public async Task A_long_service_name_is_no_problem() =>
        Assert.Equal("result=deny", await CallAsync("policy.sock", $"source=work\nintended_target=bank\nservice_and_arg=x+{new string('y', 65_000)}\n\n"));

    [Fact]
    public async Task A_client_that_says_nothing_is_let_go()
    {
        Serve("hasty", new PolicyConnection(_fixture.Service, _fixture.Log) { RequestTimeout = TimeSpan.FromMilliseconds(1) }.ServeAsync);
        Assert.Equal("", await CallAsync("hasty", "source=work\n", end: false));
        Assert.Contains("did not come in time", Assert.Single(_fixture.Log.Lines));
    }

    [Fact]
    public async Task Many_clients_at_once_get_their_own_answers()
    {
        string[] answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => CallAsync(
            "policy.sock", $"source=work\nintended_target={(i % 2 == 0 ? "bank" : "gui")}\nservice_and_arg=svc.Test\n\n")));
        Assert.All(answers.Index(), a => Assert.Equal(a.Index % 2 == 0, a.Item.Contains("target=bank", StringComparison.Ordinal)));
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
