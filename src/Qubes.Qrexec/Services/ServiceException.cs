using Qubes.Protocol.Qrexec;

namespace Qubes.Qrexec.Services;

/// <summary>A service could not be started; <see cref="ExitCode"/> is what the caller of the service is told.</summary>
public sealed class ServiceException(int exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary><see cref="QrexecExitCode.NotFound"/> or <see cref="QrexecExitCode.Problem"/>.</summary>
    public int ExitCode { get; } = exitCode;

    internal static ServiceException NotFound(string message, Exception? inner = null) =>
        new(QrexecExitCode.NotFound, message, inner);

    internal static ServiceException Problem(string message, Exception? inner = null) =>
        new(QrexecExitCode.Problem, message, inner);
}
