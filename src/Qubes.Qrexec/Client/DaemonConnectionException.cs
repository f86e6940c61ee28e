namespace Qubes.Qrexec.Client;

/// <summary>A qrexec daemon could not be used.</summary>
/// <param name="message">What happened.</param>
/// <param name="inner">The cause.</param>
/// <param name="isAbsent">Nobody listens there: the qube is not running, or its agent is not connected.</param>
public sealed class DaemonConnectionException(string message, Exception? inner = null, bool isAbsent = false) : IOException(message, inner)
{
    /// <summary>True when nobody listens there: the qube is not running, or its agent is not connected.</summary>
    public bool IsAbsent { get; } = isAbsent;
}
