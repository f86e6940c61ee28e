using System.Collections.Immutable;
using Qubes.Policy.Loading;
using Qubes.Policy.Rules;
using Qubes.Policy.Syntax;

namespace Qubes.Policy.Checking;

/// <summary>Says what is wrong with policy texts, without putting them in force.</summary>
public static class PolicyCheck
{
    /// <summary>Everything that is wrong with a whole policy.</summary>
    public static ImmutableArray<PolicyDiagnostic> Check(IPolicySource source) => PolicyLoader.Load(source).Errors;

    /// <summary>
    /// What is wrong with one file taken by itself, in the order of lines. What it includes is not looked at: that may not be
    /// there yet, and has a check of its own.
    /// </summary>
    public static ImmutableArray<PolicyDiagnostic> CheckText(string file, string text, PolicyFormat format)
    {
        PolicyFileSyntax syntax = PolicyFileParser.Parse(file, text, format);
        List<PolicyDiagnostic> found = [.. syntax.Diagnostics];
        foreach (Statement statement in syntax.Statements)
        {
            try
            {
                CheckStatement(statement, file);
            }
            catch (PolicySyntaxException error)
            {
                found.Add(new PolicyDiagnostic(new PolicyPlace(file, statement.Line), error.Message));
            }
        }

        return [.. found.OrderBy(d => d.Place.Line)];
    }

    private static void CheckStatement(Statement statement, string file)
    {
        switch (statement)
        {
            case RuleStatement rule:
                // In the one-service form the including line says for which service; any stands in for it.
                RuleBinder.Bind(rule, file, "*", "*");
                break;
            case IncludeServiceStatement include:
                RuleBinder.BindService(include.Service.Text, include.Argument.Text);
                break;
            default:
                break;
        }
    }
}
