namespace Qubes.Policy.Syntax;

/// <summary>A run of characters between blanks.</summary>
/// <param name="Text">The characters.</param>
/// <param name="Column">Where it begins in its line, from 1.</param>
public readonly record struct Word(string Text, int Column);
