using System.Collections.Immutable;
using Qubes.Policy.Syntax;
using Qubes.Policy.Text;
using Qubes.Policy.Tokens;

namespace Qubes.Policy.Rules;

/// <summary>Gives the fields of a rule their meaning. The first thing wrong with a rule is its error.</summary>
internal static class RuleBinder
{
    /// <summary>
    /// Makes a rule of a statement. <paramref name="service"/> and <paramref name="argument"/> are those of the file for the
    /// one-service form, and are ignored otherwise.
    /// </summary>
    /// <exception cref="PolicySyntaxException">The rule is not valid.</exception>
    public static PolicyRule Bind(RuleStatement rule, string file, string service, string argument)
    {
        (string? boundService, string? boundArgument) =
            BindService(rule.Service?.Text ?? service, rule.Argument?.Text ?? argument);
        PolicyToken source = Token(rule.Source.Text, TokenContext.Source);
        PolicyToken target = Token(rule.Target.Text, TokenContext.Target);
        RuleAction action = BindAction(rule);
        if (target.Kind == TokenKind.Default && action is { Verdict: RuleVerdict.Allow, Target: null })
        {
            throw new PolicySyntaxException("allow action for @default rule must specify target= option");
        }

        return new PolicyRule(new PolicyPlace(file, rule.Line), boundService, boundArgument, source, target, action);
    }

    /// <summary>Checks the two first fields; <c>*</c> becomes null.</summary>
    /// <exception cref="PolicySyntaxException">One of them is not valid.</exception>
    public static (string? Service, string? Argument) BindService(string service, string argument)
    {
        bool anyService = service == "*";
        if (!anyService && NameCharacters.Invalid(service, NameCharacters.Service) is { Count: > 0 } invalid)
        {
            throw new PolicySyntaxException(
                $"service {PythonText.Quote(service)} contains invalid characters: {PythonText.QuoteTuple(invalid)}");
        }

        if (argument == "*")
        {
            return (anyService ? null : service, null);
        }

        if (NameCharacters.Invalid(argument, NameCharacters.Argument) is { Count: > 0 } invalidArgument)
        {
            throw new PolicySyntaxException(
                $"argument {PythonText.Quote(argument)} contains invalid characters: {PythonText.QuoteTuple(invalidArgument)}");
        }

        if (!argument.StartsWith('+'))
        {
            throw new PolicySyntaxException($"argument {PythonText.Quote(argument)} does not start with +");
        }

        return anyService ? throw new PolicySyntaxException("only * argument allowed for * service") : (service, argument);
    }

    private static RuleAction BindAction(RuleStatement rule)
    {
        RuleVerdict verdict = rule.Action.Text switch
        {
            "allow" => RuleVerdict.Allow,
            "deny" => RuleVerdict.Deny,
            "ask" => RuleVerdict.Ask,
            _ => throw new PolicySyntaxException($"invalid action: {PythonText.Escape(rule.Action.Text)}"),
        };

        Dictionary<string, string> parameters = Parameters(rule.Parameters);
        bool? notify = YesOrNo(parameters, "notify");
        bool? autostart = YesOrNo(parameters, "autostart");
        if (parameters.Keys.Any(key => !IsParameterOf(verdict, key)))
        {
            throw new PolicySyntaxException(
                $"invalid parameters for action {verdict}: {PythonText.QuoteList(rule.Parameters.Select(p => p.Text))}");
        }

        return new RuleAction(
            verdict,
            Redirect(parameters, "target"),
            Redirect(parameters, "default_target"),
            parameters.GetValueOrDefault("user") is { Length: > 0 } user ? user : null,
            autostart ?? true,
            notify ?? RuleAction.DefaultNotify(verdict));
    }

    private static Dictionary<string, string> Parameters(ImmutableArray<Word> words)
    {
        Dictionary<string, string> parameters = new(StringComparer.Ordinal);
        foreach (Word word in words)
        {
            int equals = word.Text.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                throw new PolicySyntaxException($"invalid action parameter syntax: {PythonText.Quote(word.Text)}");
            }

            string key = word.Text[..equals];
            if (!parameters.TryAdd(key, word.Text[(equals + 1)..]))
            {
                throw new PolicySyntaxException($"parameter given twice: {PythonText.Quote(key)}");
            }
        }

        return parameters;
    }

    private static bool IsParameterOf(RuleVerdict verdict, string key) => key switch
    {
        "notify" => true,
        "target" or "user" or "autostart" => verdict != RuleVerdict.Deny,
        "default_target" => verdict == RuleVerdict.Ask,
        _ => false,
    };

    private static bool? YesOrNo(Dictionary<string, string> parameters, string key) =>
        parameters.GetValueOrDefault(key) switch
        {
            null => null,
            "yes" => true,
            "no" => false,
            string value => throw new PolicySyntaxException(
                $"{PythonText.Quote(key)} is {PythonText.Quote(value)}, but can be only 'yes' or 'no'"),
        };

    private static PolicyToken? Redirect(Dictionary<string, string> parameters, string key) =>
        parameters.TryGetValue(key, out string? value) ? Token(value, TokenContext.Redirect) : null;

    private static PolicyToken Token(string text, TokenContext context) =>
        TokenParser.TryParse(text, context, out PolicyToken? token, out string? error)
            ? token
            : throw new PolicySyntaxException(error);
}
