using System.Collections.Immutable;

namespace Qubes.Policy.Rules;

/// <summary>Walks three sorted lists of rule positions as one, in order, without allocating.</summary>
public struct CandidateRules
{
    private readonly ImmutableArray<PolicyRule> _rules;
    private readonly ImmutableArray<int> _first;
    private readonly ImmutableArray<int> _second;
    private readonly ImmutableArray<int> _third;
    private int _i;
    private int _j;
    private int _k;

    internal CandidateRules(
        ImmutableArray<PolicyRule> rules, ImmutableArray<int> first, ImmutableArray<int> second, ImmutableArray<int> third)
    {
        _rules = rules;
        _first = first;
        _second = second;
        _third = third;
        Current = null!;
    }

    /// <summary>The rule reached; meaningful after <see cref="MoveNext"/> returned true.</summary>
    public PolicyRule Current { get; private set; }

    /// <summary>Goes on to the next rule.</summary>
    public bool MoveNext()
    {
        int a = _i < _first.Length ? _first[_i] : int.MaxValue;
        int b = _j < _second.Length ? _second[_j] : int.MaxValue;
        int c = _k < _third.Length ? _third[_k] : int.MaxValue;
        int next = Math.Min(a, Math.Min(b, c));
        if (next == int.MaxValue)
        {
            return false;
        }

        // A position stands in exactly one of the lists.
        if (next == a)
        {
            _i++;
        }
        else if (next == b)
        {
            _j++;
        }
        else
        {
            _k++;
        }

        Current = _rules[next];
        return true;
    }

    /// <summary>For <c>foreach</c>.</summary>
    public readonly CandidateRules GetEnumerator() => this;
}
