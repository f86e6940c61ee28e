using System.Text.Json;
using Qubes.Policy.Prompting;
using Qubes.Policy.Service;
using Qubes.Policy.SystemState;

namespace Qubes.Policy.Tests.Service;

public sealed class PolicyServiceTests
{
    private const string At = Policies.File;

    [Fact]
    public async Task An_allowed_call_is_one_line_of_the_log_with_its_rule()
    {
        ServiceFixture fixture = new("", "svc.Test * work bank allow");
        Assert.StartsWith("user=DEFAULT\nresult=allow\ntarget=bank\n", await fixture.DecideAsync("work", "bank"));
        Assert.Equal([$"Information: qrexec: svc.Test+arg: work -> bank: allowed to bank ({At}:2)"], fixture.Log.Lines);
    }

    [Fact]
    public async Task A_denied_call_is_one_line_of_the_log_with_its_rule()
    {
        ServiceFixture fixture = new("svc.Test * work bank deny notify=no", "svc.Test * work work allow", "svc.Other * work * ask autostart=no target=bank");
        Assert.Equal("result=deny", await fixture.DecideAsync("work", "bank"));
        Assert.Equal("result=deny", await fixture.DecideAsync("work", "work"));
        Assert.Equal("result=deny", await fixture.DecideAsync("work", "gui", "none"));
        Assert.Equal(
            [
                $"Information: qrexec: svc.Test+arg: work -> bank: denied: denied by policy {At}:1",
                $"Information: qrexec: svc.Test+arg: work -> work: denied: loopback qrexec connection not supported ({At}:2)",
                "Information: qrexec: none: work -> gui: denied: no matching rule found",
            ],
            fixture.Log.Lines);
    }

    [Fact]
    public async Task Nothing_unescaped_reaches_the_log()
    {
        ServiceFixture fixture = new();
        await fixture.DecideAsync("wo\u001brk", "a\tb", "x\u0007");
        Assert.Equal(["Information: qrexec: x\\x07: wo\\x1brk -> a\\tb: denied: no matching rule found"], fixture.Log.Lines);
    }

    [Fact]
    public async Task A_syntax_error_denies_every_call_and_is_named_until_it_is_repaired()
    {
        ServiceFixture fixture = new("svc.Test * work bank allow");
        Assert.NotEqual("result=deny", await fixture.DecideAsync("work", "bank"));
        fixture.Source.With("10-bad.policy", "bad");
        Assert.Equal("result=deny", await fixture.DecideAsync("work", "bank"));
        Assert.Equal(
            "Error: qrexec: svc.Test+arg: work -> bank: error loading policy: /etc/qubes/policy.d/10-bad.policy:1: wrong number of fields",
            fixture.Log.Lines[^1]);
        fixture.Source.Without("10-bad.policy");
        Assert.NotEqual("result=deny", await fixture.DecideAsync("work", "bank"));
    }

    [Fact]
    public async Task Without_knowledge_of_the_system_every_call_is_denied()
    {
        ServiceFixture fixture = new("* * * * allow") { SystemError = new IOException("gone") };
        Assert.Equal("result=deny", await fixture.DecideAsync("work", "bank"));
        Assert.Equal(["Error: qrexec: svc.Test+arg: work -> bank: error getting system info: gone"], fixture.Log.Lines);
    }

    [Fact]
    public async Task A_person_is_asked_in_the_gui_qube_of_the_source()
    {
        ServiceFixture fixture = new("svc.Test * bank @tag:office ask default_target=work", "svc.Test * bank @dispvm ask") { System = Small() };
        fixture.Agent.Answer = _ => Task.FromResult("allow:work");
        Assert.StartsWith("user=DEFAULT\nresult=allow\ntarget=work\n", await fixture.DecideAsync("bank", "work", "svc.Test"));
        (string guiVm, string service, string json) = await fixture.Agent.NextAsync();
        Assert.Equal(("gui", "policy.Ask"), (guiVm, service));
        Assert.Equal(
            """
            {"source": "bank", "service": "svc.Test", "argument": "+", "targets": ["@dispvm:dvm", "work"], "default_target": "work", "icons": {"dom0": "appvm-black", "work": "appvm-green", "bank": "appvm-green", "dvm": "appvm-red", "@dispvm:dvm": "dispvm-red"}}
            """,
            json);
        Assert.Equal([$"Information: qrexec: svc.Test+: bank -> work: allowed to work ({At}:1)"], fixture.Log.Lines);
    }

    [Theory]
    [InlineData("deny", "denied by the user " + At + ":1", false)]
    [InlineData("allow:hidden", "target hidden is not a valid choice", true)]
    [InlineData("allow:", "target  is not a valid choice", true)]
    [InlineData("", "invalid response", true)]
    [InlineData("allow", "invalid response", true)]
    [InlineData("Deny", "invalid response", true)]
    public async Task Any_answer_but_an_offered_target_denies(string answer, string reason, bool isNotified)
    {
        ServiceFixture fixture = new("svc.Test * work * ask");
        fixture.Agent.Answer = service => Task.FromResult(service == AgentMessages.AskService ? answer : "");
        Assert.Equal("result=deny", await fixture.DecideAsync("work", "bank"));
        Assert.Contains($"denied: {reason}", fixture.Log.Lines[^1]);
        Assert.Equal("policy.Ask", (await fixture.Agent.NextAsync()).Service);
        if (isNotified)
        {
            Assert.Equal("policy.Notify", (await fixture.Agent.NextAsync()).Service);
        }
    }

    [Fact]
    public async Task A_refusal_is_told_if_the_rule_says_so()
    {
        ServiceFixture fixture = new("svc.Test * work * ask notify=yes");
        fixture.Agent.Answer = service => Task.FromResult(service == AgentMessages.AskService ? "deny" : "");
        await fixture.DecideAsync("work", "bank");
        await fixture.Agent.NextAsync();
        Assert.Equal("policy.Notify", (await fixture.Agent.NextAsync()).Service);
    }

    [Fact]
    public async Task Without_anybody_to_ask_the_call_is_denied()
    {
        ServiceFixture noGui = new("svc.Test * gui * ask");
        Assert.Equal("result=deny", await noGui.DecideAsync("gui", "bank"));
        Assert.Equal(
            [
                "Error: qrexec: svc.Test+arg: cannot ask about a call from gui: it has no GUI qube",
                $"Information: qrexec: svc.Test+arg: gui -> bank: denied: nobody could be asked {At}:1",
            ],
            noGui.Log.Lines);
        Assert.False(noGui.Agent.WasCalled);

        ServiceFixture noAgent = new("svc.Test * work * ask");
        noAgent.Agent.Answer = _ => Task.FromException<string>(new IOException("no agent\u001b[1m listens"));
        Assert.Equal("result=deny", await noAgent.DecideAsync("work", "bank"));
        Assert.Equal(
            [
                "Error: qrexec: svc.Test+arg: cannot ask about a call from work: no agent\\x1b[1m listens",
                $"Information: qrexec: svc.Test+arg: work -> bank: denied: nobody could be asked {At}:1",
            ],
            noAgent.Log.Lines);
    }

    [Fact]
    public async Task A_question_nobody_answers_ends_in_a_denial()
    {
        ServiceFixture fixture = new("svc.Test * work * ask");
        fixture.Agent.Answer = _ => new TaskCompletionSource<string>().Task;
        PolicyService service = new(fixture.Policies, fixture.SystemAsync, fixture.Agent, fixture.Log) { PromptTimeout = TimeSpan.FromMilliseconds(1) };
        Assert.Equal(
            "result=deny",
            await service.DecideAsync(new PolicyQuery(new("work", "bank", "svc.Test")), CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task One_qube_cannot_open_any_number_of_questions()
    {
        ServiceFixture fixture = new("svc.Test * @anyvm * ask");

        // Once the policy is loaded a decision goes as far as the question without waiting, so the order below is certain.
        fixture.Policies.Current();
        TaskCompletionSource<string> answer = new();
        fixture.Agent.Answer = _ => answer.Task;
        Task<string>[] open = [.. Enumerable.Range(0, 8).Select(_ => fixture.DecideAsync("work", "bank").AsTask())];
        Assert.Equal("result=deny", await fixture.DecideAsync("work", "bank"));
        Assert.Contains("too many questions are open", fixture.Log.Lines[0]);
        Task<string> other = fixture.DecideAsync("bank", "work").AsTask();
        Assert.False(other.IsCompleted);
        answer.SetResult("allow:gui");
        Assert.All(await Task.WhenAll([.. open, other]).WaitAsync(TimeSpan.FromSeconds(30)), r => Assert.Contains("target=gui", r));
        Assert.Contains("target=gui", await fixture.DecideAsync("work", "bank"));
    }

    [Theory]
    [InlineData("svc.Test * work bank deny", "denied by policy /etc/qubes/policy.d/10-new.policy:1")]
    [InlineData("svc.Test * work * ask target=gui", "target bank is not a valid choice (/etc/qubes/policy.d/10-new.policy:1)")]
    [InlineData("svc.Test * work * allow", "the policy changed while a person was asked (/etc/qubes/policy.d/10-new.policy:1)")]
    [InlineData("nonsense", "error loading policy")]
    public async Task Consent_holds_only_for_the_policy_that_asked(string change, string reason)
    {
        ServiceFixture fixture = new("svc.Test * work * ask");
        TaskCompletionSource<string> answer = new();
        fixture.Agent.Answer = _ => answer.Task;
        Task<string> call = fixture.DecideAsync("work", "bank").AsTask();
        await fixture.Agent.NextAsync();
        fixture.Source.With("10-new.policy", change);
        answer.SetResult("allow:bank");
        Assert.Equal("result=deny", await call.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains(fixture.Log.Lines, line => line.Contains(reason, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Consent_to_a_qube_that_is_gone_is_void()
    {
        ServiceFixture fixture = new("svc.Test * work @tag:office ask", "svc.Test * work gui ask");
        TaskCompletionSource<string> answer = new();
        fixture.Agent.Answer = _ => answer.Task;
        Task<string> call = fixture.DecideAsync("work", "bank").AsTask();
        await fixture.Agent.NextAsync();
        fixture.System = new SystemInfo(TestSystem.Info.Qubes.Where(q => q.Name != "bank"));
        answer.SetResult("allow:bank");
        Assert.Equal("result=deny", await call.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Theory]
    [InlineData("allow notify=yes", "gui", """{"resolution": "allow", "service": "svc.Test", "argument": "+arg", "source": "work", "target": "gui"}""")]
    [InlineData("deny", "nothere", """{"resolution": "deny", "service": "svc.Test", "argument": "+arg", "source": "work", "target": "nothere"}""")]
    public async Task A_person_is_told_as_the_rule_says(string action, string target, string json)
    {
        ServiceFixture fixture = new($"svc.Test * work * {action}");
        await fixture.DecideAsync("work", target);
        Assert.Equal(("dom0", "policy.Notify", json), await fixture.Agent.NextAsync());
        using JsonDocument parsed = JsonDocument.Parse(json);
    }

    [Fact]
    public async Task That_nobody_can_be_told_changes_nothing()
    {
        ServiceFixture fixture = new("svc.Test * * * allow notify=yes");
        fixture.Agent.Answer = _ => Task.FromException<string>(new IOException("dead"));
        Assert.Contains("result=allow", await fixture.DecideAsync("work", "gui"));
        Assert.Contains("result=allow", await fixture.DecideAsync("gui", "bank"));
        Assert.Equal("dom0", (await fixture.Agent.NextAsync()).GuiVm);
    }

    [Theory]
    [InlineData("allow", false, "result=allow")]
    [InlineData("allow notify=yes", false, "result=allow")]
    [InlineData("deny", false, "result=deny")]
    [InlineData("ask", false, "result=deny")]
    [InlineData("ask", true, "result=allow")]
    public async Task An_evaluation_asks_and_tells_nobody(string action, bool assumeYes, string expected)
    {
        ServiceFixture fixture = new($"svc.Test * work * {action}");
        Assert.Equal(expected, await fixture.DecideAsync("work", "bank", justEvaluate: true, assumeYes: assumeYes));
        Assert.False(fixture.Agent.WasCalled);
    }

    [Fact]
    public async Task Assumed_consent_gives_the_full_answer_without_asking()
    {
        ServiceFixture fixture = new("svc.Test * work * ask");
        Assert.Contains("\ntarget=bank\n", await fixture.DecideAsync("work", "bank", assumeYes: true));
        Assert.Equal("result=deny", await fixture.DecideAsync("work", "@dispvm", assumeYes: true));
        Assert.DoesNotContain(fixture.Log.Lines, l => l.Contains("cannot ask", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_user_for_a_remote_qube_is_ignored_with_a_warning()
    {
        ServiceFixture fixture = new("svc.Test * work far allow user=root");
        Assert.StartsWith("user=DEFAULT\n", await fixture.DecideAsync("work", "far"));
        Assert.Equal($"Warning: qrexec: svc.Test+arg: work: user= is ignored at {At}:1: the target is a RemoteVM", fixture.Log.Lines[0]);
    }

    private static SystemInfo Small() => new(TestSystem.Info.Qubes.Where(q => q.Name is "dom0" or "work" or "bank" or "dvm"));
}
