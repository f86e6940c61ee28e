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

    /// <summary>Takes other rules, which are durable already.</summary>
    public void Replace(IReadOnlyList<FirewallRule> rules)
    {
        // One list for all the qubes that have no rules of their own.
        _rules = rules is [var only] && only == FirewallRule.AcceptAll ? AcceptAll : rules;
        _damage = null;
        _owner.App.Changes.TouchUnsaved(_owner, ModelAspect.Firewall);
    }
}
