namespace Qubes.Fuzz;

/// <summary>One parser of outside bytes under fuzz. <see cref="Run"/> throws only when it found a defect.</summary>
internal interface IFuzzTarget
{
    /// <summary>The name by which the target is chosen on the command line.</summary>
    string Name { get; }

    /// <summary>Inputs that are valid, so that mutation reaches past the first check.</summary>
    IEnumerable<byte[]> Seeds { get; }

    /// <summary>Feeds one input. The parser's own documented error is caught by the target; anything else is a finding.</summary>
    void Run(ReadOnlySpan<byte> input);
}
