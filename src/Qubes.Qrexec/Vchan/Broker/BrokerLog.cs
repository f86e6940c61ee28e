using Microsoft.Extensions.Logging;

namespace Qubes.Qrexec.Vchan.Broker;

/// <summary>Messages of the broker.</summary>
internal static partial class BrokerLog
{
    [LoggerMessage(LogLevel.Error, "vchan broker: a client's connection failed")]
    public static partial void Failed(ILogger logger, Exception exception);
}
