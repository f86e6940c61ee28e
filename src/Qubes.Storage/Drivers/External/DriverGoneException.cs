using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>
/// Inside of the exceptions that tell that a driver could not answer: it is not there, or ended before its answer.
/// </summary>
public sealed class DriverGoneException : Exception
{
    private readonly bool _wasAsked;

    private DriverGoneException(string message, bool wasAsked)
        : base(message) => _wasAsked = wasAsked;

    /// <summary>The exception for callers.</summary>
    /// <param name="wasAsked">What was asked may have happened or not.</param>
    public static QubesException For(string text, bool wasAsked) => new(QubesErrorNames.StoragePool, text, new DriverGoneException(text, wasAsked));

    public static bool IsCauseOf(Exception failure) => failure.InnerException is DriverGoneException;

    /// <summary>It is not known what became of what was asked.</summary>
    public static bool LeavesOpen(Exception failure) => failure.InnerException is DriverGoneException { _wasAsked: true };
}
