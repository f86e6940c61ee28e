using CsCheck;
using Qubes.Policy.Rules;
using Qubes.Policy.Tokens;

namespace Qubes.Policy.Tests.Rules;

public sealed class RoundTripTests
{
    private static readonly Gen<string> s_name = Gen.Char["abz019-_.:=,$@*\u00e9"].Array[1, 8].Select(c => new string(c))
        .Where(n => n[0] != '@' && n != "*");

    private static readonly Gen<string> s_value = s_name.Where(n => n[0] != '@');

    private static readonly Gen<string> s_source = Gen.OneOf(
        s_name, Pick.Of("*", "@adminvm", "@anyvm", "dom0"), s_value.Select(v => "@type:" + v), s_value.Select(v => "@tag:" + v),
        s_value.Select(v => "@dispvm:" + v), s_value.Select(v => "@dispvm:@tag:" + v));

    private static readonly Gen<string> s_target = Gen.OneOf(s_source, Pick.Of("@default", "@dispvm"));

    private static readonly Gen<string> s_redirect = Gen.OneOf(
        s_name, Pick.Of("@adminvm", "@dispvm", "dom0"), s_value.Select(v => "@dispvm:" + v));

    private static readonly Gen<PolicyRule> s_rule =
        from service in Gen.OneOf(Gen.Const((string?)null), Gen.Char["aZ9-._"].Array[1, 6].Select(c => (string?)new string(c)))
        from argument in Gen.OneOf(Gen.Const((string?)null), Gen.Char["aZ9+-._"].Array[0, 6].Select(c => (string?)("+" + new string(c))))
        from source in s_source
        from target in s_target
        from verdict in Gen.Enum<RuleVerdict>()
        from redirect in s_redirect.Null()
        from preferred in s_redirect.Null()
        from user in s_name.Null()
        from autostart in Gen.Bool
        from notify in Gen.Bool
        where !(verdict == RuleVerdict.Allow && target == "@default" && redirect is null)
        select new PolicyRule(
            new PolicyPlace(Policies.File, 1),
            service,
            service is null ? null : argument,
            Token(source, TokenContext.Source),
            Token(target, TokenContext.Target),
            verdict == RuleVerdict.Deny
                ? RuleAction.Deny(notify)
                : new RuleAction(
                    verdict,
                    redirect is null ? null : Token(redirect, TokenContext.Redirect),
                    preferred is null || verdict != RuleVerdict.Ask ? null : Token(preferred, TokenContext.Redirect),
                    user,
                    autostart,
                    notify));

    [Fact]
    public void Parsing_what_was_printed_gives_an_equal_rule() =>
        s_rule.Sample(rule =>
        {
            // A first field that begins like a comment or a directive cannot be a service, so none is generated.
            Assert.Equal(rule, Policies.Rule(RulePrinter.Print(rule)));
        });

    private static PolicyToken Token(string text, TokenContext context) =>
        TokenParser.TryParse(text, context, out PolicyToken? token, out string? error) ? token : throw new InvalidOperationException(error);
}
