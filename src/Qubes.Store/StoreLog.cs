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

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store {Path} is on a read-only file system: nothing can be changed")]
    public static partial void ReadOnly(this ILogger logger, string path);

    [LoggerMessage(Level = LogLevel.Information, Message = "Applied {Count} group(s) of changes from {Path}: the last run did not end in good order")]
    public static partial void Replayed(this ILogger logger, int count, string path);

    [LoggerMessage(Level = LogLevel.Critical, Message = "{Count} group(s) of changes in {Path}, up to revision {Revision}, belong to another {Store} than the one there: they are NOT APPLIED. The journal was kept as {Kept}")]
    public static partial void JournalUnfit(this ILogger logger, int count, string path, long revision, string store, string kept);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The journal {Path} is DAMAGED in the middle: the changes after revision {Revision} are lost. It was kept as {Kept}")]
    public static partial void JournalDamaged(this ILogger logger, string path, long revision, string kept);

    [LoggerMessage(Level = LogLevel.Warning, Message = "There is no journal {Path}: each change replaces the whole store")]
    public static partial void NoJournal(this ILogger logger, Exception exception, string path);

    [LoggerMessage(Level = LogLevel.Error, Message = "The journal {Path} cannot be written")]
    public static partial void JournalFailed(this ILogger logger, Exception exception, string path);

    [LoggerMessage(Level = LogLevel.Error, Message = "Replacing {Path} failed; changes are safe in the journal, of which {Fill:P0} is used")]
    public static partial void FileBehind(this ILogger logger, Exception exception, string path, double fill);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Path} is up to date again")]
    public static partial void FileCurrent(this ILogger logger, string path);
}
