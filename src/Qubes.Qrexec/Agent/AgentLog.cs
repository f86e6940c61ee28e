using Microsoft.Extensions.Logging;

namespace Qubes.Qrexec.Agent;

/// <summary>Messages of the agent.</summary>
internal static partial class AgentLog
{
    [LoggerMessage(LogLevel.Information, "connected to the daemon")]
    public static partial void Connected(ILogger logger);

    [LoggerMessage(LogLevel.Information, "the daemon is gone; waiting for its successor")]
    public static partial void Disconnected(ILogger logger);

    [LoggerMessage(LogLevel.Error, "control link: {Reason}")]
    public static partial void ControlFailed(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Warning, "answer to a request nobody waits for: {Id}")]
    public static partial void UnknownRequest(ILogger logger, string id);

    [LoggerMessage(LogLevel.Warning, "call: {Reason}")]
    public static partial void CallProblem(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Warning, "no link to the host: {Reason}")]
    public static partial void NoCarrier(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Error, "QubesDB is not served: {Reason}")]
    public static partial void NoDatabase(ILogger logger, string reason);
}
