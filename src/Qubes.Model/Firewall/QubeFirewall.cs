using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Firewall;

namespace Qubes.Model.Firewall;

/// <summary>
/// The firewall rules of one qube. They lie in a file of their own and are read when they are first asked for. Rules that cannot be
/// read let nothing through until they are set anew.
/// </summary>
public sealed class QubeFirewall
{
    /// <summary>How the history calls the rules of a qube.</summary>
    public const string Item = "firewall";

    /// <summary>What the history says of rules that could not be read: the mark of a text that is not all there was.</summary>
    public const string Unreadable = "…";

    private static readonly IReadOnlyList<FirewallRule> AcceptAll = [FirewallRule.AcceptAll];
    private readonly QubesVM _owner;
    private IReadOnlyList<FirewallRule>? _rules;
    private QubesException? _damage;

    internal QubeFirewall(QubesVM owner) => _owner = owner;

    /// <summary>The rules were read, or it is known that they cannot be.</summary>
    public bool IsLoaded => _rules is not null || _damage is not null;

    /// <summary>Why the rules cannot be read; null when they can.</summary>
    public QubesException? Damage => _damage;

    /// <summary>In order; expired ones may still be among them.</summary>
    /// <exception cref="QubesException">They cannot be read.</exception>
    public IReadOnlyList<FirewallRule> Rules => _damage is null
        ? _rules ?? throw new InvalidOperationException("The firewall rules were not read yet")
        : throw new QubesException(_damage.WireName, _damage.Message);

    /// <summary>What the netvm carries out: nothing is let through by rules that cannot be read.</summary>
    public IReadOnlyList<FirewallRule> EffectiveRules => _damage is null ? Rules : [];

    /// <summary>When the next rule expires, in seconds since 1970; null if none will.</summary>
    public long? NextExpiry => _rules?.Min(rule => rule.Expire);

    /// <summary>Takes the rules of the file; null when there is none.</summary>
    public void Load(IReadOnlyList<FirewallRule>? rules) => Replace(rules ?? AcceptAll);

    /// <summary>The file is there but cannot be understood.</summary>
    public void LoadDamaged(QubesException damage)
    {
        _damage = damage;
        _rules = null;
        _owner.App.Changes.TouchUnsaved(_owner, ModelAspect.Firewall);
    }

    /// <summary>What the history says of rules: one a line, null for those of a qube that has none of its own.</summary>
    public static string? HistoryText(IReadOnlyList<FirewallRule> rules) => IsDefault(rules) ? null : string.Join('\n', rules.Select(rule => rule.ApiText));

    /// <summary>Takes other rules, within a change; the file follows with its commit. They must have been read before.</summary>
    public void Set(IReadOnlyList<FirewallRule> rules)
    {
        (IReadOnlyList<FirewallRule>? before, QubesException? damage) = (_rules, _damage);
        string? text = damage is null ? HistoryText(Rules) : Unreadable;
        using ChangeScope scope = _owner.App.Changes.Enter();
        Put(IsDefault(rules) ? AcceptAll : rules, null);
        scope.Record(() => Put(before, damage), new ChangeRecord(_owner.SubjectText, Item, text, HistoryText(rules)));
        scope.Done();

        void Put(IReadOnlyList<FirewallRule>? now, QubesException? reason)
        {
            (_rules, _damage) = (now, reason);
            _owner.App.Changes.Touch(_owner, ModelAspect.Firewall, "");
        }
    }

    /// <summary>Takes what another model has of the same qube.</summary>
    internal void CopyFrom(QubeFirewall other) => (_rules, _damage) = (other._rules, other._damage);

    /// <summary>Takes other rules, which are durable already.</summary>
    public void Replace(IReadOnlyList<FirewallRule> rules)
    {
        // One list for all the qubes that have no rules of their own.
        _rules = IsDefault(rules) ? AcceptAll : rules;
        _damage = null;
        _owner.App.Changes.TouchUnsaved(_owner, ModelAspect.Firewall);
    }

    private static bool IsDefault(IReadOnlyList<FirewallRule> rules) => rules is [var only] && only == FirewallRule.AcceptAll;
}
