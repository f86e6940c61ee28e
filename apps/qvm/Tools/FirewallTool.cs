using System.Globalization;
using Qubes.Client;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Firewall;
using Qvm.CommandLine;
using Qvm.Output;

namespace Qvm.Tools;

/// <summary><c>qvm-firewall</c></summary>
internal sealed class FirewallTool : ITool
{
    private static readonly string[] Commands = ["list", "add", "del", "reset"];
    private static readonly string[] Header =
        ["NO", "ACTION", "HOST", "PROTOCOL", "PORT(S)", "SPECIAL TARGET", "ICMP TYPE", "EXPIRE", "COMMENT"];

    public string Name => "qvm-firewall";

    public string Summary => "manage the firewall rules of a domain";

    public void Define(ArgumentParser parser)
    {
        parser.Flag("--reload -r", "reload", "have the rules applied anew, host names resolved again");
        parser.Flag("--raw", "raw", "list the rules in the form of the API");
        parser.Option("--before", "before", "add: insert before the rule of this number, instead of at the end", placeholder: "NUMBER");
        parser.Option("--rule-no", "rule", "del: the number of the rule", placeholder: "NUMBER");
        QubeSelection.DefineOne(parser);
        parser.Positional("COMMAND", "command", "list (without a command as well), add, del or reset", Arity.Optional, Commands);
        parser.Positional("MATCH", "match",
            "the rule to add or delete: action, dsthost, proto and dstports or icmptype, in this order, or KEY=VALUE with one of these, "
            + "dst4, dst6, specialtarget, expire (+N is N seconds from now) or comment", Arity.Any);
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        IReadOnlyList<string> match = arguments.All("match");
        string command = arguments.Last("command") ?? "list";
        if (match.Count > 0 && (command is "list" or "reset"))
        {
            throw new UsageException($"unrecognized arguments: {string.Join(' ', match)}");
        }

        FirewallRule? rule = match.Count > 0 ? FirewallRuleWords.Parse(match, DateTimeOffset.UtcNow) : null;
        Qube qube = context.App[(await QubeSelection.OneAsync(context.App, arguments.Required(QubeSelection.Names))).Name];
        try
        {
            switch (command)
            {
                case "add":
                    await AddAsync(qube, rule ?? throw new UsageException("the following arguments are required: MATCH"), Number(arguments, "before"));
                    break;
                case "del":
                    await DeleteAsync(qube, rule, Number(arguments, "rule"));
                    break;
                case "reset":
                    await qube.SetFirewallRulesAsync([FirewallRule.AcceptAll]);
                    break;
                default:
                    await ListAsync(context, qube, arguments.Has("raw"));
                    break;
            }

            if (arguments.Has("reload"))
            {
                await qube.ReloadFirewallAsync();
            }

            return 0;
        }
        catch (QubesException e)
        {
            context.PrintError(e.Message);
            return 1;
        }
    }

    private static int? Number(ParsedArguments arguments, string key) => arguments.Last(key) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number
        : throw new UsageException($"argument --{(key == "rule" ? "rule-no" : key)}: invalid int value: '{text}'");

    private static async Task AddAsync(Qube qube, FirewallRule rule, int? before)
    {
        List<FirewallRule> rules = [.. await qube.GetFirewallRulesAsync()];
        rules.Insert(Math.Min(before ?? rules.Count, rules.Count), rule);
        await qube.SetFirewallRulesAsync(rules);
    }

    private static async Task DeleteAsync(Qube qube, FirewallRule? rule, int? number)
    {
        if (rule is null == number is null)
        {
            throw new UsageException("del takes either --rule-no or a rule");
        }

        List<FirewallRule> rules = [.. await qube.GetFirewallRulesAsync()];
        int at = number ?? rules.IndexOf(rule!);
        if (at < 0 || at >= rules.Count)
        {
            throw new ToolException(number is null ? $"no such rule: {rule}" : FormattableString.Invariant($"no rule {number}"));
        }

        rules.RemoveAt(at);
        if (rules.Count == 0)
        {
            throw new ToolException("the only rule cannot be deleted: add another one first, or reset");
        }

        await qube.SetFirewallRulesAsync(rules);
    }

    private static async Task ListAsync(ToolContext context, Qube qube, bool raw)
    {
        IReadOnlyList<FirewallRule> rules = await qube.GetFirewallRulesAsync();
        if (raw)
        {
            foreach (FirewallRule rule in rules)
            {
                await context.Out.WriteLineAsync(rule.ApiText);
            }

            return;
        }

        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        await context.Out.WriteAsync(Table.Format([Header, .. rules.Select((rule, at) => Row(rule, at, now))]));
    }

    private static string[] Row(FirewallRule rule, int at, long now) =>
    [
        at.ToString(CultureInfo.InvariantCulture),
        FirewallText.Of(rule.Action),
        rule.Host?.Text ?? "-",
        rule.Protocol is { } protocol ? FirewallText.Of(protocol) : "-",
        rule.Ports?.StoreText ?? "-",
        rule.IsForDns ? "dns" : "-",
        rule.IcmpType?.ToString(CultureInfo.InvariantCulture) ?? "-",
        rule.Expire is { } expire ? (expire - now).ToString("+0;-0;+0", CultureInfo.InvariantCulture) + "s" : "-",
        rule.Comment ?? "-",
    ];
}
