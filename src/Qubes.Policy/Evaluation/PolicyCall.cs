namespace Qubes.Policy.Evaluation;

/// <summary>A call as it was asked for, before anything about it is believed.</summary>
/// <param name="Source">The calling qube, as the transport names it.</param>
/// <param name="IntendedTarget">What the caller named; empty for nothing.</param>
/// <param name="ServiceAndArgument"><c>SERVICE[+ARGUMENT]</c>.</param>
/// <param name="RequestedSource">The remote qube the source says it speaks for; empty for none.</param>
public sealed record PolicyCall(string Source, string IntendedTarget, string ServiceAndArgument, string RequestedSource = "")
{
    /// <summary>The part before the first <c>+</c>.</summary>
    public string Service =>
        ServiceAndArgument.IndexOf('+', StringComparison.Ordinal) is >= 0 and int plus ? ServiceAndArgument[..plus] : ServiceAndArgument;

    /// <summary>The rest, with its <c>+</c>; no argument is the empty one.</summary>
    public string Argument =>
        ServiceAndArgument.IndexOf('+', StringComparison.Ordinal) is >= 0 and int plus ? ServiceAndArgument[plus..] : "+";
}
