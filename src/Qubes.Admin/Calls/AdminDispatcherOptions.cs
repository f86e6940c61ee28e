namespace Qubes.Admin.Calls;

/// <summary>How much the dispatcher tells of what it does.</summary>
public sealed record AdminDispatcherOptions
{
    /// <summary>Log every call at debug level.</summary>
    public bool LogCalls { get; init; }

    /// <summary>Send the server's stack trace with errors. For development only.</summary>
    public bool SendTracebacks { get; init; }
}
