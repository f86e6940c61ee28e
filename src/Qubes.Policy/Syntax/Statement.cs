using System.Collections.Immutable;

namespace Qubes.Policy.Syntax;

/// <summary>One line of the tree.</summary>
/// <param name="Line">Its number.</param>
public abstract record Statement(int Line);

/// <summary>A rule as written.</summary>
/// <param name="Line">Its number.</param>
/// <param name="Service">Null in the one-service form.</param>
/// <param name="Argument">Null in the one-service form.</param>
/// <param name="Source">Third field.</param>
/// <param name="Target">Fourth field.</param>
/// <param name="Action">Fifth field.</param>
/// <param name="Parameters">All further fields.</param>
public sealed record RuleStatement(
    int Line, Word? Service, Word? Argument, Word Source, Word Target, Word Action, ImmutableArray<Word> Parameters) : Statement(Line);

/// <summary><c>!include PATH</c>: the file in the form of the including one.</summary>
public sealed record IncludeStatement(int Line, Word Path) : Statement(Line);

/// <summary><c>!include-dir PATH</c>.</summary>
public sealed record IncludeDirectoryStatement(int Line, Word Path) : Statement(Line);

/// <summary><c>!include-service SERVICE ARGUMENT PATH</c>.</summary>
public sealed record IncludeServiceStatement(int Line, Word Service, Word Argument, Word Path) : Statement(Line);

/// <summary><c>!compat-4.0</c>: the directory of one-service files comes here.</summary>
public sealed record CompatStatement(int Line) : Statement(Line);
