using Qubes.Policy.Evaluation;

namespace Qubes.Policy.Tests.Evaluation;

public sealed class AskTests
{
    private const string At = Policies.File;

    private static string Targets(string rules, string source, string service = "test.Service+arg") =>
        string.Join(' ', Policies.Asked(rules, source, service: service).Targets);

    [Fact]
    public void Everything_some_rule_lets_through_is_offered_but_not_the_caller_itself_nor_internal_qubes() =>
        Assert.Equal(
            "@dispvm:dvm @dispvm:dvm2 alone baddvm bank dom0 dvm dvm2 far far2 fedora gonedvm gonerelay gui nodvm norelay notransport relay",
            Targets("test.Service * @anyvm * ask", "work"));

    [Fact]
    public void Anyvm_offers_no_dom0() =>
        Assert.DoesNotContain("dom0", Targets("test.Service * @anyvm @anyvm ask", "work").Split(' '));

    [Theory]
    [InlineData("bank", "bank")]
    [InlineData("uuid:" + TestSystem.BankUuid, "bank")]
    [InlineData("@adminvm", "dom0")]
    [InlineData("dom0", "dom0")]
    [InlineData("uuid:00000000-0000-0000-0000-000000000000", "dom0")]
    [InlineData("@type:TemplateVM", "fedora")]
    [InlineData("@type:AdminVM", "dom0")]
    [InlineData("@tag:office", "bank")]
    [InlineData("@tag:red", "alone")]
    [InlineData("@dispvm", "@dispvm:dvm")]
    [InlineData("@dispvm:dvm2", "@dispvm:dvm2")]
    [InlineData("@dispvm:uuid:" + TestSystem.DvmUuid, "@dispvm:dvm")]
    [InlineData("@dispvm:@tag:viewer", "@dispvm:dvm2")]
    [InlineData("nothere", "")]
    [InlineData("hidden", "")]
    [InlineData("@dispvm:hiddendvm", "")]
    [InlineData("@dispvm:nothere", "")]
    [InlineData("@dispvm:fedora", "")]
    [InlineData("@tag:nosuch", "")]
    [InlineData("@dispvm:@tag:office", "")]
    [InlineData("work", "")]
    [InlineData("uuid:" + TestSystem.WorkUuid, "")]
    public void A_target_is_offered_as_the_qubes_it_means(string target, string expected) =>
        Assert.Equal(
            ("gui " + expected).Trim().Split(' ').Order(StringComparer.Ordinal),
            Policies.Asked($"test.Service * work @default ask\ntest.Service * work {target} allow\ntest.Service * work gui allow", "work").Targets);

    [Fact]
    public void A_redirect_is_offered_in_place_of_the_target_it_replaces() =>
        Assert.Equal(
            "bank gui",
            Targets("test.Service * work @default ask\ntest.Service * work alone allow target=bank\ntest.Service * work @tag:host ask target=gui", "work"));

    [Fact]
    public void Earlier_rules_override_later_ones()
    {
        Assert.Equal("alone", Targets("test.Service * work @default ask\ntest.Service * work @tag:office deny\ntest.Service * work @tag:red ask\ntest.Service * work @tag:office ask", "work"));
        Assert.Equal("bank gui", Targets("test.Service * work bank ask\ntest.Service * work bank deny\ntest.Service * work @default ask\ntest.Service * work gui ask", "work"));
    }

    [Fact]
    public void Rules_for_other_callers_services_or_arguments_offer_nothing() =>
        Assert.Equal(
            "gui",
            Targets("test.Service +arg work @default ask\ntest.Service * bank alone allow\ntest.Service +x work fedora allow\nother * work relay allow\n* * work gui ask", "work"));

    [Theory]
    [InlineData("@adminvm", "*")]
    [InlineData("dom0", "@adminvm")]
    [InlineData("@adminvm", "dom0")]
    public void Dom0_denied_in_one_form_is_not_offered_in_another(string denied, string allowed)
    {
        string rules = $"test.Service * work @default ask\ntest.Service * work {denied} deny\ntest.Service * work {allowed} ask\ntest.Service * work gui ask";
        Assert.DoesNotContain("dom0", Policies.Asked(rules, "work").Targets);
    }

    [Fact]
    public void A_denied_template_is_not_offered_as_the_callers_default_either() =>
        Assert.Equal(
            "gui",
            Targets("test.Service * work @default ask\ntest.Service * work @dispvm:dvm deny\ntest.Service * work @dispvm ask\ntest.Service * work gui ask", "work"));

    [Theory]
    [InlineData("nodvm")]
    [InlineData("gonedvm")]
    [InlineData("baddvm")]
    [InlineData("unknown")]
    public void A_caller_without_a_usable_default_template_is_offered_no_disposable(string source) =>
        Assert.Equal("gui", Targets("test.Service * @anyvm @dispvm ask\ntest.Service * @anyvm @default ask\ntest.Service * @anyvm gui ask", source));

    [Fact]
    public void A_caller_known_by_uuid_is_not_offered_itself() =>
        Assert.Equal("bank", Targets("test.Service * @anyvm @tag:office ask\ntest.Service * @anyvm @default ask", "uuid:" + TestSystem.WorkUuid));

    [Theory]
    [InlineData("bank", "bank")]
    [InlineData("uuid:" + TestSystem.BankUuid, "bank")]
    [InlineData("dom0", "dom0")]
    [InlineData("@adminvm", "dom0")]
    [InlineData("uuid:00000000-0000-0000-0000-000000000000", "dom0")]
    [InlineData("@dispvm", "@dispvm:dvm")]
    [InlineData("@dispvm:dvm2", "@dispvm:dvm2")]
    public void A_forced_target_is_the_only_choice(string redirect, string expected) =>
        Assert.Equal(expected, Targets($"test.Service * work @anyvm ask target={redirect}\ntest.Service * work gui allow", "work"));

    [Theory]
    [InlineData("ask target=nothere")]
    [InlineData("ask target=@dispvm:fedora")]
    [InlineData("ask target=bank autostart=no")]
    [InlineData("ask autostart=no")]
    public void With_nothing_to_choose_from_the_call_is_denied(string action)
    {
        CallDenied denied = Policies.Denied($"test.Service * work bank {action}", "work", "bank");
        Assert.Equal($"policy define 'ask' action at {At}:1 but no target is available to choose from", denied.Reason);
        Assert.True(denied.Notify);
    }

    [Fact]
    public void Without_autostart_only_what_runs_is_offered() =>
        Assert.Equal(
            "dom0 far far2 gui relay", Targets("test.Service * work * ask autostart=no", "work"));

    [Theory]
    [InlineData("bank", "bank")]
    [InlineData("uuid:" + TestSystem.BankUuid, "bank")]
    [InlineData("@dispvm", "@dispvm:dvm")]
    [InlineData("@dispvm:dvm2", "@dispvm:dvm2")]
    [InlineData("@dispvm:uuid:" + TestSystem.DvmUuid, "@dispvm:dvm")]
    [InlineData("dom0", "dom0")]
    [InlineData("@adminvm", "dom0")]
    [InlineData("uuid:00000000-0000-0000-0000-000000000000", "dom0")]
    public void The_default_choice_is_one_of_the_offered(string preferred, string expected)
    {
        CallAsked asked = Policies.Asked($"test.Service * work * ask default_target={preferred}", "work");
        Assert.Equal(expected, asked.DefaultTarget);
        Assert.Null(asked.Warning);
    }

    [Theory]
    [InlineData("target=dom0 default_target=dom0")]
    [InlineData("target=dom0 default_target=@adminvm")]
    [InlineData("target=dom0 default_target=uuid:00000000-0000-0000-0000-000000000000")]
    [InlineData("target=@adminvm default_target=dom0")]
    [InlineData("target=@adminvm default_target=@adminvm")]
    [InlineData("target=@adminvm default_target=uuid:00000000-0000-0000-0000-000000000000")]
    [InlineData("target=uuid:00000000-0000-0000-0000-000000000000 default_target=dom0")]
    [InlineData("target=uuid:00000000-0000-0000-0000-000000000000 default_target=@adminvm")]
    [InlineData("target=uuid:00000000-0000-0000-0000-000000000000 default_target=uuid:00000000-0000-0000-0000-000000000000")]
    public void All_forms_of_dom0_fit_each_other(string parameters)
    {
        CallAsked asked = Policies.Asked($"test.Service * work @anyvm ask {parameters}", "work");
        Assert.Equal(["dom0"], asked.Targets);
        Assert.Equal("dom0", asked.DefaultTarget);
    }

    [Fact]
    public void A_default_choice_that_is_not_offered_is_dropped_with_a_warning()
    {
        CallAsked asked = Policies.Asked("test.Service * work @tag:office ask default_target=gui\ntest.Service * work @default ask default_target=gui", "work");
        Assert.Null(asked.DefaultTarget);
        Assert.Equal($"policy defines default_target=gui at {At}:2 but it is not among the allowed targets (bank)", asked.Warning);
        Assert.Null(Policies.Asked("test.Service * nodvm * ask default_target=@dispvm", "nodvm").Warning);
    }

    [Fact]
    public void The_callers_target_is_no_default_choice() =>
        Assert.Null(Policies.Asked("test.Service * work * ask", "work", "bank").DefaultTarget);

    [Fact]
    public void A_choice_that_was_offered_is_taken()
    {
        CallAsked asked = Policies.Asked("test.Service * work * ask user=u notify=yes", "work");
        Assert.Equal("bank", Assert.IsType<CallAllowed>(asked.Choose("bank")).Target.Text);
        Assert.StartsWith("user=u\nresult=allow\ntarget=@dispvm:dvm2\ntarget_uuid=@dispvm:uuid:", ResultText.Of(Assert.IsType<CallAllowed>(asked.Choose("@dispvm:dvm2"))));
        Assert.StartsWith("user=u\nresult=allow\ntarget=dom0\nautostart", ResultText.Of(Assert.IsType<CallAllowed>(asked.Choose("dom0"))));
    }

    [Theory]
    [InlineData("work")]
    [InlineData("hidden")]
    [InlineData("@dispvm")]
    [InlineData("")]
    [InlineData("bank ")]
    public void A_choice_that_was_not_offered_is_denied_and_notified(string choice)
    {
        CallDenied denied = Assert.IsType<CallDenied>(Policies.Asked("test.Service * work * ask", "work").Choose(choice));
        Assert.Equal($"target {choice} is not a valid choice", denied.Reason);
        Assert.True(denied.Notify);
    }

    [Fact]
    public void A_refusal_is_notified_as_the_rule_says_and_a_strange_answer_always()
    {
        CallAsked quiet = Policies.Asked("test.Service * work * ask", "work");
        CallAsked loud = Policies.Asked("test.Service * work * ask notify=yes", "work");
        Assert.Equal(new CallDenied($"denied by the user {At}:1", Notify: false, quiet.Rule), quiet.Refuse());
        Assert.True(loud.Refuse().Notify);
        Assert.Equal(new CallDenied("invalid response", Notify: true, quiet.Rule), quiet.Misunderstand());
    }

    [Theory]
    [InlineData("bank", true)]
    [InlineData("uuid:" + TestSystem.BankUuid, true)]
    [InlineData("dom0", true)]
    [InlineData("@adminvm", true)]
    [InlineData("@dispvm:dvm2", true)]
    [InlineData("@default", false)]
    [InlineData("@dispvm", false)]
    [InlineData("hidden", false)]
    public void Assumed_consent_holds_only_for_a_target_that_could_have_been_chosen(string target, bool allowed) =>
        Assert.Equal(allowed, Policies.Asked("test.Service * work * ask", "work", target).AssumeConsent() is CallAllowed);
}
