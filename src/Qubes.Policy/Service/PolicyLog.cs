using Microsoft.Extensions.Logging;

namespace Qubes.Policy.Service;

/// <summary>The lines of the audit log and the others. All texts are escaped before they come here.</summary>
internal static partial class PolicyLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "qrexec: {Service}{Argument}: {Source} -> {Requested}: allowed to {Target} ({Place})")]
    public static partial void Allowed(
        ILogger logger, string service, string argument, string source, string requested, string target, string place);

    [LoggerMessage(Level = LogLevel.Information, Message = "qrexec: {Call}: {Source} -> {Target}: denied: {Reason}")]
    public static partial void Denied(ILogger logger, string call, string source, string target, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "qrexec: {Call}: {Source} -> {Target}: error loading policy: {Error}")]
    public static partial void InvalidPolicy(ILogger logger, string call, string source, string target, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "qrexec: {Call}: {Source} -> {Target}: error getting system info: {Error}")]
    public static partial void NoSystemInfo(ILogger logger, string call, string source, string target, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "qrexec: {Call}: {Source}: {Warning}")]
    public static partial void Warning(ILogger logger, string call, string source, string warning);

    [LoggerMessage(Level = LogLevel.Error, Message = "qrexec: {Call}: cannot ask about a call from {Source}: {Error}")]
    public static partial void CannotAsk(ILogger logger, string call, string source, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "cannot notify in {GuiVm}: {Error}")]
    public static partial void CannotNotify(ILogger logger, string guiVm, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "policy request refused: {Error}")]
    public static partial void BadRequest(ILogger logger, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "policy request failed")]
    public static partial void Failed(ILogger logger, Exception error);

    [LoggerMessage(Level = LogLevel.Information, Message = "policy loaded: {Rules} rules from {Files} files")]
    public static partial void Loaded(ILogger logger, int rules, int files);

    [LoggerMessage(Level = LogLevel.Error, Message = "policy is invalid, every call is denied: {Error}")]
    public static partial void LoadFailed(ILogger logger, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "policy: {Warning}")]
    public static partial void LoadWarning(ILogger logger, string warning);
}
