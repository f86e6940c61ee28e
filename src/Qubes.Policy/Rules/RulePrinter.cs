using System.Text;

namespace Qubes.Policy.Rules;

/// <summary>Writes rules back as text.</summary>
public static class RulePrinter
{
    /// <summary>The whole rule: parsing the text gives an equal rule.</summary>
    public static string Print(PolicyRule rule)
    {
        StringBuilder text = Common(rule);
        RuleAction action = rule.Action;
        if (!action.Autostart)
        {
            text.Append(" autostart=no");
        }

        if (action.Notify != RuleAction.DefaultNotify(action.Verdict))
        {
            text.Append(action.Notify ? " notify=yes" : " notify=no");
        }

        return text.ToString();
    }

    /// <summary>The rule as the tools show it: who may call whom and how, without <c>autostart=</c> and <c>notify=</c>.</summary>
    public static string Describe(PolicyRule rule) => Common(rule).ToString();

    private static StringBuilder Common(PolicyRule rule)
    {
        RuleAction action = rule.Action;
        StringBuilder text = new();
        text.Append(rule.Service ?? "*").Append('\t').Append(rule.Argument ?? "*").Append('\t')
            .Append(rule.Source.Text).Append('\t').Append(rule.Target.Text).Append('\t')
            .Append(action.Verdict switch { RuleVerdict.Allow => "allow", RuleVerdict.Ask => "ask", _ => "deny" });
        if (action.Target is { } target)
        {
            text.Append(" target=").Append(target.Text);
        }

        if (action.DefaultTarget is { } defaultTarget)
        {
            text.Append(" default_target=").Append(defaultTarget.Text);
        }

        if (action.User is { } user)
        {
            text.Append(" user=").Append(user);
        }

        return text;
    }
}
