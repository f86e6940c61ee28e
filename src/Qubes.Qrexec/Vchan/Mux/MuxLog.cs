using Microsoft.Extensions.Logging;

namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>Messages of the multiplexer.</summary>
internal static partial class MuxLog
{
    [LoggerMessage(LogLevel.Warning, "vchan link: session ended: {Reason}")]
    public static partial void SessionFailed(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Information, "vchan link: the peer has restarted")]
    public static partial void PeerRestarted(ILogger logger);

    [LoggerMessage(LogLevel.Warning, "vchan link: no connection to domain {Domain}, port {Port}: {Reason}")]
    public static partial void ForeignConnectFailed(ILogger logger, uint domain, uint port, string reason);

    [LoggerMessage(LogLevel.Information, "vchan link: carrier lost: {Reason}")]
    public static partial void CarrierLost(ILogger logger, string reason);
}
