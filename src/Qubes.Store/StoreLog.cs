using Microsoft.Extensions.Logging;

namespace Qubes.Store;

internal static partial class StoreLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Loaded {Qubes} qubes from {Path} (revision {Revision})")]
    public static partial void Loaded(this ILogger logger, int qubes, string path, long revision);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Store: {Problem}")]
    public static partial void Problem(this ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The store {Path} is DAMAGED ({Reason}). It was kept as {Kept}; going on with {Generation}")]
    public static partial void Damaged(this ILogger logger, string path, string reason, string kept, string generation);

    [LoggerMessage(Level = LogLevel.Error, Message = "Saving {Path} failed; {Count} change(s) were taken back")]
    public static partial void SaveFailed(this ILogger logger, Exception exception, string path, int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "The change history in {Directory} could not be written")]
    public static partial void HistoryFailed(this ILogger logger, Exception exception, string directory);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No copy of the store could be kept as {Path}")]
    public static partial void GenerationFailed(this ILogger logger, Exception exception, string path);
}
