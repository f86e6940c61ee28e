using System.Collections.Immutable;
using Qubes.Policy.Loading;
using Qubes.Policy.Rules;
using Qubes.Policy.SystemState;
using Qubes.Policy.Text;
using Qubes.Policy.Tokens;

namespace Qubes.Policy.Evaluation;

/// <summary>Decides calls: the first rule that matches says what happens. Pure; nothing here throws on any input.</summary>
public static class PolicyEvaluator
{
    /// <summary>Decides <paramref name="call"/>; with a policy that has errors, every call is denied and the error named.</summary>
    public static PolicyDecision Decide(LoadedPolicy policy, PolicyCall call, SystemInfo system)
    {
        if (!policy.IsValid)
        {
            return new CallDenied($"error loading policy: {policy.ErrorSummary}", Notify: true, null);
        }

        try
        {
            return Evaluate(policy.Rules, PolicyRequest.Of(call, system));
        }
        catch (CallDeniedException denied)
        {
            return CallDenied.From(denied);
        }
    }

    /// <summary>
    /// Whether a call would go through with nobody asked: what filters of lists want to know. Ask counts as no.
    /// </summary>
    public static bool IsAllowed(LoadedPolicy policy, PolicyCall call, SystemInfo system) =>
        Decide(policy, call, system) is CallAllowed;

    /// <summary>The first rule that matches, or null.</summary>
    public static PolicyRule? FindRule(RuleSet rules, PolicyRequest request)
    {
        foreach (PolicyRule rule in rules.Candidates(request.Service, request.Argument))
        {
            if (TokenMatcher.IsMatch(rule, request))
            {
                return rule;
            }
        }

        return null;
    }

    /// <summary>Decides a request that was checked already.</summary>
    /// <exception cref="CallDeniedException">It is refused for a reason other than a deny rule.</exception>
    public static PolicyDecision Evaluate(RuleSet rules, PolicyRequest request)
    {
        PolicyRule rule = FindRule(rules, request) ?? throw new CallDeniedException("no matching rule found");
        return rule.Action.Verdict switch
        {
            RuleVerdict.Allow => Allow(rule, request),
            RuleVerdict.Ask => Ask(rule, rules, request),
            _ => new CallDenied($"denied by policy {rule.Place}", rule.Action.Notify, rule),
        };
    }

    private static CallAllowed Allow(PolicyRule rule, PolicyRequest request)
    {
        SystemInfo system = request.System;
        PolicyToken target = rule.Action.Target ?? request.Target;
        target = target.Kind switch
        {
            TokenKind.DispVmTemplate => PolicyRequest.VerifyTemplate(target, system),
            TokenKind.Name when system.Find(target.Value) is null && !target.IsDom0 => PolicyToken.Default,
            TokenKind.AdminVm => PolicyToken.Dom0,
            _ => target,
        };

        if (target.Kind == TokenKind.Default)
        {
            throw new CallDeniedException(
                $"policy define 'allow' action at {rule.Place} but no target is specified by caller or policy", rule);
        }

        if (target.Kind == TokenKind.DispVm)
        {
            string template = system.DefaultDispvmOf(request.Source.Value) ?? throw new CallDeniedException(
                $"policy define 'allow' action to @dispvm at {rule.Place} but no DispVM base is set for this VM", rule);
            target = PolicyRequest.VerifyTemplate(PolicyToken.DispVmFrom(template), system);
        }

        return rule.Action.Autostart || IsReachableWithoutStart(target, system)
            ? new CallAllowed(rule, request, target)
            : throw new CallDeniedException(
                $"target {target} is denied because it would require autostart", rule, rule.Action.Notify);
    }

    private static CallAsked Ask(PolicyRule rule, RuleSet rules, PolicyRequest request)
    {
        RuleAction action = rule.Action;
        ImmutableArray<string> targets = action.Target is { } redirect
            ? TargetCollector.Resolve(redirect, request) is { } only ? [only] : []
            : TargetCollector.Collect(rules, request);
        if (!action.Autostart)
        {
            targets = [.. targets.Where(t => IsReachableWithoutStart(t, request.System))];
        }

        if (targets.IsEmpty)
        {
            throw new CallDeniedException(
                $"policy define 'ask' action at {rule.Place} but no target is available to choose from", rule);
        }

        string? preferred = action.DefaultTarget is { } wanted ? TargetCollector.Resolve(wanted, request) : null;
        bool isOffered = preferred is not null && targets.Contains(preferred, StringComparer.Ordinal);
        string? warning = action.DefaultTarget is { } missing && !isOffered && (preferred is not null || missing.Kind != TokenKind.DispVm)
            ? $"policy defines default_target={PythonText.Escape(missing.Text)} at {rule.Place} but it is not among the allowed targets "
                + $"({string.Join(", ", targets)})"
            : null;
        return new CallAsked(rule, request, targets, isOffered ? preferred : null, warning);
    }

    private static bool IsReachableWithoutStart(PolicyToken target, SystemInfo system) =>
        target.Kind != TokenKind.DispVmTemplate && IsReachableWithoutStart(target.Text, system);

    private static bool IsReachableWithoutStart(string target, SystemInfo system) =>
        PolicyToken.IsDom0Text(target) || system.Find(target) is { PowerState: "Running" };
}
