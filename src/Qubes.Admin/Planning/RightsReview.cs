using Qubes.Policy.Evaluation;
using Qubes.Policy.Loading;
using Qubes.Policy.Rules;
using Qubes.Policy.SystemState;
using Qubes.Policy.Tokens;

namespace Qubes.Admin.Planning;

/// <summary>
/// Which calls policy would let through after a change, or ask a person about, that it would not before. Looked at are the qubes whose
/// tags, class, existence, role as a template of disposables or default template of disposables changed, as callers and as targets, for
/// every service some rule speaks of in terms of what changed. Other rules decide the same before and after.
/// </summary>
internal sealed class RightsReview(LoadedPolicy policy, SystemInfo before, SystemInfo after)
{
    private const int MaxDecisions = 200_000;
    private const int MaxFindings = 200;

    private readonly List<WidenedRight> _found = [];
    private int _decisions;

    /// <summary>Whether everything was looked at and told.</summary>
    public bool IsComplete { get; private set; } = true;

    public IReadOnlyList<WidenedRight> Run()
    {
        string[] changed = [.. after.Qubes.Where(HasChanged).Select(qube => qube.Name)];
        if (changed.Length == 0 || !policy.IsValid)
        {
            return _found;
        }

        string[] others = [.. after.Qubes.Select(qube => qube.Name).Where(name => name != "dom0")];
        foreach ((string service, string argument) in Services(changed))
        {
            foreach (string qube in changed)
            {
                foreach (string other in others)
                {
                    Compare(qube, other, service, argument);
                    if (!changed.Contains(other, StringComparer.Ordinal))
                    {
                        Compare(other, qube, service, argument);
                    }
                }

                foreach (string target in (ReadOnlySpan<string>)["@adminvm", "@default", "@dispvm"])
                {
                    Compare(qube, target, service, argument);
                }

                if (after.Find(qube) is { TemplateForDispvms: true })
                {
                    foreach (string other in others)
                    {
                        Compare(other, "@dispvm:" + qube, service, argument);
                    }
                }
            }
        }

        return _found;
    }

    private bool HasChanged(QubeInfo now) => before.Find(now.Name) is not { } was
        || was.Type != now.Type || was.TemplateForDispvms != now.TemplateForDispvms || was.DefaultDispvm != now.DefaultDispvm
        || !was.Tags.AsSpan().SequenceEqual(now.Tags.AsSpan());

    /// <summary>The services of all rules that can match otherwise than before because of one of the changed qubes.</summary>
    private HashSet<(string Service, string Argument)> Services(string[] changed)
    {
        HashSet<(string, string)> services = [];
        foreach (PolicyRule rule in policy.Rules.Rules)
        {
            if (changed.Any(name => IsAffected(rule.Source, name) || IsAffected(rule.Target, name)))
            {
                // A rule for any service stands for one that no other rule names, a rule for any argument for the empty one.
                services.Add((rule.Service ?? "any-other-service", rule.Argument ?? "+"));
            }
        }

        return services;
    }

    private bool IsAffected(PolicyToken token, string name)
    {
        QubeInfo now = after.Find(name)!;
        QubeInfo? was = before.Find(name);
        return token.Kind switch
        {
            TokenKind.Tag or TokenKind.DispVmTag => was?.HasTag(token.Value) != now.HasTag(token.Value) || was?.TemplateForDispvms != now.TemplateForDispvms,
            TokenKind.Type => was?.Type != now.Type,
            TokenKind.DispVm or TokenKind.DispVmTemplate => was?.DefaultDispvm != now.DefaultDispvm || was?.TemplateForDispvms != now.TemplateForDispvms,

            // What is new can be named, or be among all.
            TokenKind.Name or TokenKind.Any or TokenKind.AnyVm => was is null,
            _ => false,
        };
    }

    private void Compare(string source, string target, string service, string argument)
    {
        if (_decisions >= MaxDecisions || _found.Count >= MaxFindings)
        {
            IsComplete = false;
            return;
        }

        _decisions += 2;
        PolicyCall call = new(source, target, service + argument);
        PolicyDecision now = PolicyEvaluator.Decide(policy, call, after);
        if (now is CallDenied)
        {
            return;
        }

        PolicyDecision was = before.Find(source) is null ? new CallDenied("", Notify: false, null) : PolicyEvaluator.Decide(policy, call, before);
        if (Rank(now) > Rank(was))
        {
            _found.Add(new WidenedRight(service, argument, source, target, Word(was), Word(now), now.DecidedBy?.Place.ToString() ?? ""));
        }
    }

    private static int Rank(PolicyDecision decision) => decision switch
    {
        CallAllowed => 2,
        CallAsked => 1,
        _ => 0,
    };

    private static string Word(PolicyDecision decision) => decision switch
    {
        CallAllowed => "allow",
        CallAsked => "ask",
        _ => "deny",
    };
}
