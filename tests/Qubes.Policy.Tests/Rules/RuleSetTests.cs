using System.Collections.Immutable;
using CsCheck;
using Qubes.Policy.Rules;
using Qubes.Policy.Tokens;

namespace Qubes.Policy.Tests.Rules;

public sealed class RuleSetTests
{
    [Fact]
    public void Candidates_are_exactly_the_rules_for_the_call_in_order() =>
        Gen.Select(Pick.Of<string?>(null, "a", "b", "c"), Pick.Of<string?>(null, "+", "+x", "+y"))
            .Array[0, 60].Sample(keys =>
            {
                ImmutableArray<PolicyRule> rules =
                [
                    .. keys.Select((key, i) => new PolicyRule(
                        new PolicyPlace("f", i), key.Item1, key.Item1 is null ? null : key.Item2,
                        PolicyToken.Named("s"), PolicyToken.Named("t"), RuleAction.Deny())),
                ];
                RuleSet set = new(rules);
                foreach (string service in (string[])["a", "b", "c", "d"])
                {
                    foreach (string argument in (string[])["+", "+x", "+y", "+z"])
                    {
                        List<PolicyRule> found = [];
                        foreach (PolicyRule rule in set.Candidates(service, argument))
                        {
                            found.Add(rule);
                        }

                        Assert.Equal(
                            rules.Where(r => (r.Service ?? service) == service && (r.Argument ?? argument) == argument), found);
                    }
                }
            });
}
