using Qubes.Policy.Evaluation;
using Qubes.Policy.Loading;
using Qubes.Policy.SystemState;

namespace Qubes.Policy.Tests.Evaluation;

public sealed class EvaluationTests
{
    private const string At = Policies.File;

    [Fact]
    public void The_first_matching_rule_decides()
    {
        LoadedPolicy policy = Policies.Valid(
            "test.Service +arg work bank deny",
            "test.Service +other work bank deny",
            "test.Other * work bank deny",
            "test.Service * bank @anyvm deny",
            "test.Service * work bank allow user=first",
            "* * work bank allow user=second",
            "test.Service + gui dom0 allow");
        Assert.Equal(1, Policies.Decide(policy, "work", "bank").DecidedBy?.Place.Line);
        Assert.Equal(2, Policies.Decide(policy, "work", "bank", "test.Service+other").DecidedBy?.Place.Line);
        Assert.Equal(5, Policies.Decide(policy, "work", "bank", "test.Service").DecidedBy?.Place.Line);
        Assert.Equal(3, Policies.Decide(policy, "work", "bank", "test.Other").DecidedBy?.Place.Line);
        Assert.Equal(6, Policies.Decide(policy, "work", "bank", "test.Else+x").DecidedBy?.Place.Line);
        Assert.Equal(4, Policies.Decide(policy, "bank", "work").DecidedBy?.Place.Line);
        Assert.Equal(7, Policies.Decide(policy, "gui", "dom0", "test.Service+").DecidedBy?.Place.Line);
        Assert.Equal("no matching rule found", Assert.IsType<CallDenied>(Policies.Decide(policy, "gui", "dom0")).Reason);
    }

    [Fact]
    public void With_any_error_in_the_policy_every_call_is_denied_and_the_error_named()
    {
        LoadedPolicy policy = Policies.Load("* * * * allow", "nonsense");
        CallDenied denied = Assert.IsType<CallDenied>(Policies.Decide(policy, "work", "bank"));
        Assert.Equal($"error loading policy: {At}:2: wrong number of fields", denied.Reason);
    }

    [Theory]
    [InlineData("deny", true)]
    [InlineData("deny notify=no", false)]
    public void A_denial_names_its_rule(string action, bool notify)
    {
        CallDenied denied = Policies.Denied($"\ntest.Service * work bank {action}", "work", "bank");
        Assert.Equal($"denied by policy {At}:2", denied.Reason);
        Assert.Equal(notify, denied.Notify);
        Assert.Equal(2, denied.DecidedBy?.Place.Line);
    }

    [Theory]
    [InlineData("@tag:office")]
    [InlineData("@type:AppVM")]
    [InlineData("@anyvm")]
    [InlineData("*")]
    [InlineData("@dispvm:@tag:viewer")]
    [InlineData("@invalid")]
    [InlineData("@dispvm:")]
    public void A_target_no_caller_may_name_is_refused_before_the_rules(string target) =>
        Assert.StartsWith("invalid ", Policies.Denied("* * * * allow", "work", target).Reason);

    [Theory]
    [InlineData("work")]
    [InlineData("nothere")]
    [InlineData("uuid:" + TestSystem.WorkUuid)]
    public void A_disposable_of_what_is_no_template_is_refused_before_the_rules(string template) =>
        Assert.Equal($"not a template for dispvm: {template}", Policies.Denied("* * * * allow", "work", "@dispvm:" + template).Reason);

    [Fact]
    public void A_target_that_does_not_exist_counts_as_none_with_a_warning()
    {
        PolicyRequest request = PolicyRequest.Of(new PolicyCall("work", "nothere\u001b", "s"), TestSystem.Info);
        Assert.Equal("@default", request.Target.Text);
        Assert.Equal("'nothere\\x1b' is not a qube; taken as @default", request.Warning);
        Assert.Null(PolicyRequest.Of(new PolicyCall("work", "bank", "s"), TestSystem.Info).Warning);
    }

    [Theory]
    [InlineData("svc", "svc", "+")]
    [InlineData("svc+", "svc", "+")]
    [InlineData("svc+a+b", "svc", "+a+b")]
    public void Service_and_argument_part_at_the_first_plus(string text, string service, string argument)
    {
        PolicyCall call = new("work", "", text);
        Assert.Equal((service, argument), (call.Service, call.Argument));
    }

    [Fact]
    public void Without_a_target_anywhere_an_allowed_call_is_denied()
    {
        string expected = $"policy define 'allow' action at {At}:1 but no target is specified by caller or policy";
        Assert.Equal(expected, Policies.Denied("test.Service * work @anyvm allow", "work", "@default").Reason);
        Assert.Equal(expected, Policies.Denied("test.Service * work @anyvm allow target=nothere", "work", "bank").Reason);
    }

    [Theory]
    [InlineData("@default", "@default allow target=bank", "bank")]
    [InlineData("gui", "@anyvm allow target=bank", "bank")]
    [InlineData("gui", "@anyvm allow target=uuid:" + TestSystem.BankUuid, "uuid:" + TestSystem.BankUuid)]
    [InlineData("gui", "@anyvm allow target=@dispvm", "@dispvm:dvm")]
    [InlineData("gui", "@anyvm allow target=@dispvm:dvm2", "@dispvm:dvm2")]
    [InlineData("gui", "@anyvm allow target=@dispvm:uuid:" + TestSystem.DvmUuid, "@dispvm:uuid:" + TestSystem.DvmUuid)]
    [InlineData("gui", "@anyvm allow target=dom0", "dom0")]
    [InlineData("gui", "@anyvm allow target=@adminvm", "dom0")]
    [InlineData("gui", "@anyvm allow target=uuid:00000000-0000-0000-0000-000000000000", "uuid:00000000-0000-0000-0000-000000000000")]
    [InlineData("@dispvm", "@dispvm allow", "@dispvm:dvm")]
    [InlineData("@dispvm", "@dispvm:dvm allow", "@dispvm:dvm")]
    [InlineData("@dispvm", "@anyvm allow", "@dispvm:dvm")]
    [InlineData("dom0", "dom0 allow", "dom0")]
    [InlineData("@adminvm", "dom0 allow", "dom0")]
    [InlineData("@adminvm", "@adminvm allow", "dom0")]
    [InlineData("dom0", "@adminvm allow", "dom0")]
    [InlineData("dom0", "* allow", "dom0")]
    public void An_allowed_call_goes_to_the_redirect_or_the_target_asked_for(string target, string rule, string expected) =>
        Assert.Equal(expected, Assert.IsType<CallAllowed>(Policies.Decide("test.Service * work " + rule, "work", target)).Target.Text);

    [Theory]
    [InlineData("dom0")]
    [InlineData("@adminvm")]
    public void Dom0_is_reached_only_by_rules_that_say_so(string target)
    {
        foreach (string covered in (string[])["@anyvm", "bank", "@default", "@dispvm", "@tag:office", "@type:AppVM"])
        {
            string rule = $"test.Service * work {covered} allow target=bank";
            Assert.Equal("no matching rule found", Policies.Denied(rule, "work", target).Reason);
        }
    }

    [Theory]
    [InlineData("nodvm", "@dispvm allow")]
    [InlineData("nodvm", "@anyvm allow target=@dispvm")]
    public void Without_a_default_template_there_is_no_disposable(string source, string rule) =>
        Assert.Equal(
            $"policy define 'allow' action to @dispvm at {At}:1 but no DispVM base is set for this VM",
            Policies.Denied($"test.Service * {source} {rule}", source, "@dispvm").Reason);

    [Theory]
    [InlineData("gonedvm", "gone")]
    [InlineData("baddvm", "work")]
    public void A_default_template_that_is_none_gives_no_disposable(string source, string template) =>
        Assert.Equal($"not a template for dispvm: {template}", Policies.Denied("* * * * allow", source, "@dispvm").Reason);

    [Theory]
    [InlineData("gui", true)]
    [InlineData("dom0", true)]
    [InlineData("bank", false)]
    [InlineData("@dispvm", false)]
    [InlineData("@dispvm:dvm", false)]
    public void Without_autostart_only_what_runs_is_reached(string target, bool allowed)
    {
        PolicyDecision decision = Policies.Decide("test.Service * work * allow autostart=no", "work", target);
        Assert.Equal(allowed, decision is CallAllowed);
        if (decision is CallDenied denied)
        {
            string resolved = target == "@dispvm" ? "@dispvm:dvm" : target;
            Assert.Equal($"target {resolved} is denied because it would require autostart", denied.Reason);
            Assert.False(denied.Notify);
            Assert.True(Policies.Denied("test.Service * work * allow autostart=no notify=yes", "work", target).Notify);
        }
    }

    [Fact]
    public void A_relay_may_speak_only_for_its_remote_qubes()
    {
        const string Rules = "test.Service * far @anyvm allow\ntest.Service * relay @anyvm deny";
        Assert.Equal("far", Assert.IsType<CallAllowed>(Policies.Decide(Rules, "relay", "work", claimed: "far")).Request.Source.Text);
        Assert.Equal("unknown requested source qube 'nothere'", Policies.Denied(Rules, "relay", "work", claimed: "nothere").Reason);
        Assert.Equal("bank: requested source is only authorized for RemoteVM", Policies.Denied(Rules, "relay", "work", claimed: "bank").Reason);
        Assert.Equal("work is not a relay for far", Policies.Denied(Rules, "work", "bank", claimed: "far").Reason);
        Assert.Equal("relay is not a relay for norelay", Policies.Denied(Rules, "relay", "work", claimed: "norelay").Reason);
        Assert.Equal($"denied by policy {At}:2", Policies.Denied(Rules, "relay", "work").Reason);
    }

    [Fact]
    public void An_ask_counts_as_no_for_filters()
    {
        LoadedPolicy policy = Policies.Valid("admin.vm.List * work bank allow target=dom0", "admin.vm.List * work @anyvm ask");
        bool Sees(string name) => PolicyEvaluator.IsAllowed(policy, new PolicyCall("work", name, "admin.vm.List"), TestSystem.Info);
        Assert.True(Sees("bank"));
        Assert.False(Sees("gui"));
        Assert.False(Sees("dom0"));
    }

    [Fact]
    public void A_thousand_qubes_and_three_hundred_rules_are_decided_in_microseconds()
    {
        SystemInfo system = new(Enumerable.Range(0, 1000).Select(i => new QubeInfo { Name = $"q{i}", Type = "AppVM", Uuid = $"u{i}" }));
        LoadedPolicy policy = Policies.Valid([.. Enumerable.Range(0, 300).Select(i => $"svc.S{i % 60} +a{i} @tag:t{i} @anyvm deny"), "* * @anyvm @anyvm allow"]);
        Assert.Equal(301, policy.Rules.Rules.Length);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            Assert.IsType<CallAllowed>(PolicyEvaluator.Decide(policy, new PolicyCall("q1", $"q{i}", "svc.S7+a7"), system));
        }

        // Time differs from machine to machine; what is allocated does not, and shows whether qubes or rules are copied or scanned.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 1000, 0, 2000);
    }
}
