using Qubes.Policy.Rules;

namespace Qubes.Policy.Tests.Rules;

public sealed class RuleSyntaxTests
{
    [Fact]
    public void A_rule_has_all_its_fields()
    {
        PolicyRule rule = Policies.Rule("  svc.A-b_1  +x+y \t@tag:a  @dispvm ask  target=t default_target=d user=u=v autostart=no notify=yes ");
        Assert.Equal(new PolicyPlace(Policies.File, 1), rule.Place);
        Assert.Equal(("svc.A-b_1", "+x+y", "@tag:a", "@dispvm"), (rule.Service, rule.Argument, rule.Source.Text, rule.Target.Text));
        Assert.Equal((RuleVerdict.Ask, "t", "d", "u=v", false, true),
            (rule.Action.Verdict, rule.Action.Target?.Text, rule.Action.DefaultTarget?.Text, rule.Action.User, rule.Action.Autostart, rule.Action.Notify));
    }

    [Theory]
    [InlineData("deny", true)]
    [InlineData("deny notify=yes", true)]
    [InlineData("deny notify=no", false)]
    [InlineData("allow", false)]
    [InlineData("allow notify=yes", true)]
    [InlineData("allow notify=no", false)]
    [InlineData("ask", false)]
    [InlineData("ask notify=yes", true)]
    [InlineData("ask notify=no", false)]
    public void Only_denials_are_notified_unless_said(string action, bool notify) =>
        Assert.Equal(notify, Policies.Rule($"s + a b {action}").Action.Notify);

    [Theory]
    [InlineData("allow", true)]
    [InlineData("allow autostart=yes", true)]
    [InlineData("ask autostart=no", false)]
    public void A_call_may_start_its_target_unless_said(string action, bool autostart) =>
        Assert.Equal(autostart, Policies.Rule($"s + a b {action}").Action.Autostart);

    [Fact]
    public void Absent_parameters_are_null_and_an_empty_user_counts_as_absent()
    {
        RuleAction action = Policies.Rule("s + a b allow user=").Action;
        Assert.Null(action.User);
        Assert.Null(action.Target);
        Assert.Null(action.DefaultTarget);
    }

    [Fact]
    public void A_star_stands_for_any_service_and_any_argument()
    {
        PolicyRule rule = Policies.Rule("* * a b deny");
        Assert.Null(rule.Service);
        Assert.Null(rule.Argument);
        Assert.Equal("+", Policies.Rule("s + a b deny").Argument);
    }

    [Theory]
    [InlineData("s + a b", "wrong number of fields")]
    [InlineData("s", "wrong number of fields")]
    [InlineData("a b allow", "wrong number of fields")]
    [InlineData("s/x + a b allow", "service 's/x' contains invalid characters: ('/',)")]
    [InlineData("s+x! + a b allow", "service 's+x!' contains invalid characters: ('!', '+')")]
    [InlineData("s +a/b a b allow", "argument '+a/b' contains invalid characters: ('/',)")]
    [InlineData("s a a b allow", "argument 'a' does not start with +")]
    [InlineData("* + a b allow", "only * argument allowed for * service")]
    [InlineData("* +arg a b deny", "only * argument allowed for * service")]
    [InlineData("s + @default b allow", "invalid source token: '@default'")]
    [InlineData("s + @dispvm b allow", "invalid source token: '@dispvm'")]
    [InlineData("s + a @dispvm: allow", "invalid empty @dispvm: token: '@dispvm:'")]
    [InlineData("s + a b reject", "invalid action: reject")]
    [InlineData("s + a b Allow", "invalid action: Allow")]
    [InlineData("s + a b allow, user=x", "invalid action: allow,")]
    [InlineData("s + a b allow #comment", "invalid action parameter syntax: '#comment'")]
    [InlineData("s + a b allow trailing words", "invalid action parameter syntax: 'trailing'")]
    [InlineData("s + a b allow user=a user=b", "parameter given twice: 'user'")]
    [InlineData("s + a b allow notify", "invalid action parameter syntax: 'notify'")]
    [InlineData("s + a b deny notify=maybe", "'notify' is 'maybe', but can be only 'yes' or 'no'")]
    [InlineData("s + a b allow autostart=", "'autostart' is '', but can be only 'yes' or 'no'")]
    [InlineData("s + a b allow default_target=x", "invalid parameters for action Allow: ['default_target=x']")]
    [InlineData("s + a b deny target=x notify=no", "invalid parameters for action Deny: ['target=x', 'notify=no']")]
    [InlineData("s + a b deny user=x", "invalid parameters for action Deny: ['user=x']")]
    [InlineData("s + a b deny autostart=no", "invalid parameters for action Deny: ['autostart=no']")]
    [InlineData("s + a b ask other=x", "invalid parameters for action Ask: ['other=x']")]
    [InlineData("s + a b allow target=a,user=b", null)]
    [InlineData("s + a b allow target=@anyvm", "invalid redirect token: '@anyvm'")]
    [InlineData("s + a b allow target=@default", "invalid redirect token: '@default'")]
    [InlineData("s + a b allow target=", "invalid empty redirect token")]
    [InlineData("s + a b ask default_target=@tag:x", "invalid redirect token: '@tag:x'")]
    [InlineData("s + a @default allow", "allow action for @default rule must specify target= option")]
    [InlineData("s + a @default allow user=x", "allow action for @default rule must specify target= option")]
    public void A_bad_rule_is_an_error_with_its_line(string line, string? expected)
    {
        if (expected is null)
        {
            // A comma is nothing special here; it only separated parameters in the old form.
            Assert.Equal("a,user=b", Policies.Rule(line).Action.Target?.Text);
        }
        else
        {
            Assert.Equal(expected, Policies.ErrorOf(line));
        }
    }

    [Theory]
    [InlineData("s\t+\ta\tb\tallow")]
    [InlineData("s\t*\t@anyvm\t@dispvm:x\task target=y default_target=z user=w")]
    [InlineData("*\t*\t*\t*\tdeny")]
    [InlineData("s\t+a\t@tag:t\t@default\tallow target=dom0")]
    [InlineData("s\t+a\t@type:AppVM\t@adminvm\tdeny")]
    [InlineData("s\t+a\ta\t@dispvm:@tag:t\task default_target=@dispvm")]
    [InlineData("s\t+a\ta\tuuid:1\tallow user=root")]
    public void A_rule_shows_as_the_text_it_was_made_of(string line)
    {
        Assert.Equal(line, RulePrinter.Describe(Policies.Rule(line)));
        Assert.Equal(line, Policies.Rule(line).ToString());
    }

    [Theory]
    [InlineData("s\t+\ta\tb\tallow autostart=no notify=yes", "s\t+\ta\tb\tallow")]
    [InlineData("s\t+\ta\tb\tdeny notify=no", "s\t+\ta\tb\tdeny")]
    public void The_short_text_leaves_out_what_the_full_one_has(string full, string brief)
    {
        Assert.Equal(full, RulePrinter.Print(Policies.Rule(full)));
        Assert.Equal(brief, RulePrinter.Describe(Policies.Rule(full)));
    }
}
