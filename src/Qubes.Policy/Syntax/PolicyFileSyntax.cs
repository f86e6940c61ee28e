using System.Collections.Immutable;

namespace Qubes.Policy.Syntax;

/// <summary>The tree of one file, before anything in it is given a meaning.</summary>
/// <param name="File">Its path.</param>
/// <param name="Format">The form it was read in.</param>
/// <param name="Statements">The lines that could be read.</param>
/// <param name="Diagnostics">The lines that could not.</param>
public sealed record PolicyFileSyntax(
    string File, PolicyFormat Format, ImmutableArray<Statement> Statements, ImmutableArray<PolicyDiagnostic> Diagnostics);
