namespace Qvm.CommandLine;

/// <summary>How many values an argument takes.</summary>
internal enum Arity
{
    /// <summary>None: its presence counts.</summary>
    Flag,
    One,
    Optional,
    Any,
    OneOrMore,

    /// <summary>Everything that is left, options included.</summary>
    Remainder,
}

/// <summary>An option (<see cref="Names"/> begin with a dash) or a positional argument.</summary>
internal sealed class Argument
{
    public required string[] Names { get; init; }

    /// <summary>The name values are asked for by.</summary>
    public required string Key { get; init; }

    public Arity Arity { get; init; }

    public string Help { get; init; } = "";

    /// <summary>What stands for the value in help texts.</summary>
    public string? Placeholder { get; init; }

    /// <summary>May be given without being listed in help.</summary>
    public bool IsHidden { get; init; }

    /// <summary>The only values taken, if not null.</summary>
    public string[]? Choices { get; init; }

    public bool IsOption => Names[0].StartsWith('-');

    public string Display => IsOption ? string.Join('/', Names) : Names[0];

    public string Metavar => Placeholder ?? (Choices is not null ? $"{{{string.Join(',', Choices)}}}" : IsOption ? Key.ToUpperInvariant().Replace('-', '_') : Names[0]);
}
