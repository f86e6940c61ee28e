using System.Collections.Immutable;

namespace Qubes.Policy.Syntax;

/// <summary>A line that says something: not empty, not a comment.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Words">At least one.</param>
public sealed record SourceLine(int Number, ImmutableArray<Word> Words)
{
    /// <summary>True for <c>!…</c>.</summary>
    public bool IsDirective => Words[0].Text[0] == '!';
}
