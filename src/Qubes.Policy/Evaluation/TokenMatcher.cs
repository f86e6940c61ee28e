using Qubes.Policy.Rules;
using Qubes.Policy.SystemState;
using Qubes.Policy.Tokens;

namespace Qubes.Policy.Evaluation;

/// <summary>Whether a token of a rule covers the source or target of a request.</summary>
public static class TokenMatcher
{
    /// <summary>True if the rule is about this request in every field.</summary>
    public static bool IsMatch(PolicyRule rule, PolicyRequest request) =>
        IsMatchButTarget(rule, request) && Matches(rule.Target, request.Target, request.Source, request.System);

    /// <summary>True if service, argument and source of the rule cover those of the request.</summary>
    public static bool IsMatchButTarget(PolicyRule rule, PolicyRequest request) =>
        (rule.Service is null || rule.Service == request.Service)
        && (rule.Argument is null || rule.Argument == request.Argument)
        && Matches(rule.Source, request.Source, request.Source, request.System);

    /// <summary>True if <paramref name="rule"/> covers <paramref name="requested"/>, in a call from <paramref name="source"/>.</summary>
    public static bool Matches(PolicyToken rule, PolicyToken requested, PolicyToken source, SystemInfo system) => rule.Kind switch
    {
        TokenKind.Any => true,
        TokenKind.AnyVm => !requested.IsDom0,
        TokenKind.AdminVm => requested.IsDom0,
        TokenKind.Name when rule.IsDom0 => requested.IsDom0,
        TokenKind.Name => requested.Kind == TokenKind.Name && system.IsSameName(rule.Value, requested.Value),
        TokenKind.Type => requested.Kind == TokenKind.Name && system.Find(requested.Value)?.Type == rule.Value,
        TokenKind.Tag => requested.Kind == TokenKind.Name && system.Find(requested.Value) is { } qube && qube.HasTag(rule.Value),
        TokenKind.DispVmTemplate => requested.Kind switch
        {
            TokenKind.DispVmTemplate => system.IsSameName(rule.Value, requested.Value),

            // Compared as text: a uuid in the rule does not stand for the default template here.
            TokenKind.DispVm => system.DefaultDispvmOf(source.Value) == rule.Value,
            _ => false,
        },
        TokenKind.DispVmTag => TemplateOf(requested, source, system) is { } template
            && system.Find(template) is { TemplateForDispvms: true } info && info.HasTag(rule.Value),
        _ => requested.Kind == rule.Kind,
    };

    private static string? TemplateOf(PolicyToken requested, PolicyToken source, SystemInfo system) => requested.Kind switch
    {
        TokenKind.DispVmTemplate => requested.Value,
        TokenKind.DispVm => system.DefaultDispvmOf(source.Value),
        _ => null,
    };
}
