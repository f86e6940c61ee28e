using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Qubes.Policy.Rules;

/// <summary>
/// All rules in order, immutable, found by service and argument. Three sorted lists of positions cover a call: rules for
/// any service, rules for the service with any argument, rules for the service and this argument; merging them gives the
/// candidates in the order of the files without looking at the others.
/// </summary>
public sealed class RuleSet
{
    private static readonly ServiceRules s_none = new([], FrozenDictionary<string, ImmutableArray<int>>.Empty);

    private readonly ImmutableArray<int> _anyService;
    private readonly FrozenDictionary<string, ServiceRules> _byService;

    public RuleSet(ImmutableArray<PolicyRule> rules)
    {
        Rules = rules;
        ImmutableArray<int>.Builder anyService = ImmutableArray.CreateBuilder<int>();
        Dictionary<string, (List<int> AnyArgument, Dictionary<string, List<int>> ByArgument)> services = new(StringComparer.Ordinal);
        for (int i = 0; i < rules.Length; i++)
        {
            if (rules[i].Service is not { } service)
            {
                anyService.Add(i);
                continue;
            }

            if (!services.TryGetValue(service, out (List<int> AnyArgument, Dictionary<string, List<int>> ByArgument) found))
            {
                found = ([], new Dictionary<string, List<int>>(StringComparer.Ordinal));
                services.Add(service, found);
            }

            if (rules[i].Argument is not { } argument)
            {
                found.AnyArgument.Add(i);
            }
            else if (found.ByArgument.TryGetValue(argument, out List<int>? positions))
            {
                positions.Add(i);
            }
            else
            {
                found.ByArgument.Add(argument, [i]);
            }
        }

        _anyService = anyService.ToImmutable();
        _byService = services.ToFrozenDictionary(
            s => s.Key,
            s => new ServiceRules(
                [.. s.Value.AnyArgument],
                s.Value.ByArgument.ToFrozenDictionary(a => a.Key, a => a.Value.ToImmutableArray(), StringComparer.Ordinal)),
            StringComparer.Ordinal);
    }

    /// <summary>A policy without rules: everything is denied.</summary>
    public static RuleSet Empty { get; } = new([]);

    /// <summary>The rules in the order in which they are tried.</summary>
    public ImmutableArray<PolicyRule> Rules { get; }

    /// <summary>The rules that speak about this service and argument (with its leading <c>+</c>), in order.</summary>
    public CandidateRules Candidates(string service, string argument)
    {
        ServiceRules rules = _byService.GetValueOrDefault(service, s_none);
        return new CandidateRules(
            Rules, _anyService, rules.AnyArgument, rules.ByArgument.GetValueOrDefault(argument, ImmutableArray<int>.Empty));
    }

    private sealed record ServiceRules(ImmutableArray<int> AnyArgument, FrozenDictionary<string, ImmutableArray<int>> ByArgument);
}
