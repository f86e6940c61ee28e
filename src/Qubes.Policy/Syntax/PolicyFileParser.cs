using System.Collections.Immutable;
using Qubes.Policy.Rules;

namespace Qubes.Policy.Syntax;

/// <summary>
/// From text to tree. Grammar, one statement a line:
/// <code>
/// full form:        SERVICE ARGUMENT SOURCE TARGET ACTION [PARAM=VALUE]...
///                   !include PATH | !include-dir PATH | !include-service SERVICE ARGUMENT PATH | !compat-4.0
/// one-service form: SOURCE TARGET ACTION [PARAM=VALUE]...
///                   !include PATH
/// </code>
/// </summary>
public static class PolicyFileParser
{
    /// <summary>Reads <paramref name="text"/>; every line that cannot be read is reported, the others are kept.</summary>
    public static PolicyFileSyntax Parse(string file, string text, PolicyFormat format)
    {
        ImmutableArray<Statement>.Builder statements = ImmutableArray.CreateBuilder<Statement>();
        ImmutableArray<PolicyDiagnostic>.Builder diagnostics = ImmutableArray.CreateBuilder<PolicyDiagnostic>();
        foreach (SourceLine line in PolicyLexer.Read(text, format))
        {
            (Statement? statement, string? error) = line.IsDirective ? Directive(line, format) : Rule(line, format);
            if (statement is not null)
            {
                statements.Add(statement);
            }
            else
            {
                diagnostics.Add(new PolicyDiagnostic(new PolicyPlace(file, line.Number), error!));
            }
        }

        return new PolicyFileSyntax(file, format, statements.ToImmutable(), diagnostics.ToImmutable());
    }

    private static (Statement? Statement, string? Error) Rule(SourceLine line, PolicyFormat format)
    {
        ImmutableArray<Word> words = line.Words;
        return format switch
        {
            PolicyFormat.Full when words.Length >= 5 =>
                (new RuleStatement(line.Number, words[0], words[1], words[2], words[3], words[4], words[5..]), null),
            PolicyFormat.OneService when words.Length >= 3 =>
                (new RuleStatement(line.Number, null, null, words[0], words[1], words[2], words[3..]), null),
            _ => (null, "wrong number of fields"),
        };
    }

    private static (Statement? Statement, string? Error) Directive(SourceLine line, PolicyFormat format)
    {
        ImmutableArray<Word> words = line.Words;
        int parameters = words.Length - 1;
        (Statement? Statement, string? Error) wrongCount = (null, "invalid number of params");
        return (words[0].Text, format) switch
        {
            ("!include", _) => parameters == 1 ? (new IncludeStatement(line.Number, words[1]), null) : wrongCount,
            ("!include-dir", PolicyFormat.Full) =>
                parameters == 1 ? (new IncludeDirectoryStatement(line.Number, words[1]), null) : wrongCount,
            ("!include-service", PolicyFormat.Full) =>
                parameters == 3 ? (new IncludeServiceStatement(line.Number, words[1], words[2], words[3]), null) : wrongCount,
            ("!compat-4.0", PolicyFormat.Full) => parameters == 0 ? (new CompatStatement(line.Number), null) : wrongCount,
            _ => (null, "invalid directive"),
        };
    }
}
