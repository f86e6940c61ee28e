namespace Beacon;

/// <summary>Thrown by a handler to say no to what the daemon asks about.</summary>
/// <param name="message">What the caller of the Admin API is told.</param>
/// <param name="type">The name of the exception class clients see; null: the usual one.</param>
internal sealed class RefusedException(string message, string? type = null) : Exception(message)
{
    public string? Type { get; } = type;
}
