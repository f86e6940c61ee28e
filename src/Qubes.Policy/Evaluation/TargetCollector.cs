using System.Collections.Immutable;
using Qubes.Policy.Rules;
using Qubes.Policy.SystemState;
using Qubes.Policy.Tokens;

namespace Qubes.Policy.Evaluation;

/// <summary>Finds what a person may choose from: every target some rule would let the call go to, and no earlier rule denies.</summary>
internal static class TargetCollector
{
    private const string DispVm = "@dispvm";

    /// <summary>The targets, sorted.</summary>
    public static ImmutableArray<string> Collect(RuleSet rules, PolicyRequest request)
    {
        // The last rule goes first, so that what an earlier one says overrides it, as it does when rules are matched.
        List<PolicyRule> matching = [];
        foreach (PolicyRule rule in rules.Candidates(request.Service, request.Argument))
        {
            if (TokenMatcher.IsMatchButTarget(rule, request))
            {
                matching.Add(rule);
            }
        }

        HashSet<string> targets = new(StringComparer.Ordinal);
        for (int i = matching.Count - 1; i >= 0; i--)
        {
            IEnumerable<string> meant = Expand(matching[i].Action.Target ?? matching[i].Target, request);
            if (matching[i].Action.Verdict == RuleVerdict.Deny)
            {
                targets.ExceptWith(meant);
            }
            else
            {
                targets.UnionWith(meant);
            }
        }

        SystemInfo system = request.System;
        string source = request.Source.Value;
        if (targets.Remove(DispVm) && Resolve(PolicyToken.DispVm, request) is { } disposable)
        {
            targets.Add(disposable);
        }

        targets.Remove(system.Find(source)?.Name ?? source);
        targets.RemoveWhere(t => QubeOf(t, system) is not { Internal: null or "" });
        return [.. targets.Order(StringComparer.Ordinal)];
    }

    /// <summary>
    /// The one target a redirect means for this caller, as it is offered to a person; null if there is no such qube.
    /// </summary>
    public static string? Resolve(PolicyToken redirect, PolicyRequest request) => redirect switch
    {
        { IsDom0: true } => PolicyToken.Dom0.Text,
        { Kind: TokenKind.DispVm } => request.System.DefaultDispvmOf(request.Source.Value) is { } template
            ? NameForm(PolicyToken.DispVmFrom(template), request.System)
            : null,
        _ => NameForm(redirect, request.System),
    };

    /// <summary>A qube, or a disposable of it, by name even if the token has its uuid; null if it is not there, or no template.</summary>
    public static string? NameForm(PolicyToken token, SystemInfo system) => token.Kind switch
    {
        TokenKind.Name => system.Find(token.Value)?.Name,
        TokenKind.DispVmTemplate when system.Find(token.Value) is { TemplateForDispvms: true } template =>
            TokenParser.DispVmPrefix + template.Name,
        _ => null,
    };

    private static IEnumerable<string> Expand(PolicyToken token, PolicyRequest request)
    {
        SystemInfo system = request.System;
        return token.Kind switch
        {
            TokenKind.Any => AllQubes(system, withDom0: true),
            TokenKind.AnyVm => AllQubes(system, withDom0: false),
            TokenKind.AdminVm => [PolicyToken.Dom0.Text],
            TokenKind.Name => NameForm(token, system) is { } name ? [name] : [],
            TokenKind.Type => system.Qubes.Where(q => q.Type == token.Value).Select(q => q.Name),
            TokenKind.Tag => system.Qubes.Where(q => q.HasTag(token.Value)).Select(q => q.Name),
            TokenKind.DispVm => [DispVm],
            TokenKind.DispVmTemplate => WithCallersOwn(token, request, NameForm(token, system) is { } name ? [name] : []),
            TokenKind.DispVmTag => WithCallersOwn(
                token, request, Disposables(system.Qubes.Where(q => q.TemplateForDispvms && q.HasTag(token.Value)))),
            _ => [],
        };
    }

    /// <summary>A rule about a template is about the plain <c>@dispvm</c> too, for a caller whose default template it is.</summary>
    private static IEnumerable<string> WithCallersOwn(PolicyToken token, PolicyRequest request, IEnumerable<string> disposables) =>
        TokenMatcher.Matches(token, PolicyToken.DispVm, request.Source, request.System) ? disposables.Append(DispVm) : disposables;

    private static IEnumerable<string> AllQubes(SystemInfo system, bool withDom0) =>
        system.Qubes.Where(q => withDom0 || q.Name != PolicyToken.Dom0.Text).Select(q => q.Name)
            .Concat(Disposables(system.Qubes.Where(q => q.TemplateForDispvms)))
            .Append(DispVm);

    private static IEnumerable<string> Disposables(IEnumerable<QubeInfo> templates) =>
        templates.Select(q => TokenParser.DispVmPrefix + q.Name);

    private static QubeInfo? QubeOf(string target, SystemInfo system) =>
        system.Find(
            target.StartsWith(TokenParser.DispVmPrefix, StringComparison.Ordinal) ? target[TokenParser.DispVmPrefix.Length..] : target);
}
