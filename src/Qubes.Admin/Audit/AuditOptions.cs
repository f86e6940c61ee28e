namespace Qubes.Admin.Audit;

/// <summary>Where the audit log lies and how much of it there may be.</summary>
public sealed record AuditOptions
{
    public required string Directory { get; init; }

    /// <summary>A file beyond this many bytes is followed by a new one.</summary>
    public long FileSize { get; init; } = 16L << 20;

    /// <summary>Files that are kept, the current one included.</summary>
    public int Files { get; init; } = 32;

    /// <summary>Records that may wait for the disk. One more, and it is counted as lost.</summary>
    public int Waiting { get; init; } = 1 << 16;

    /// <summary>How long records are collected before they are written together.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>After what could not be written, until it is tried again.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long written records may go without being forced to disk.</summary>
    public TimeSpan SyncPeriod { get; init; } = TimeSpan.FromSeconds(1);
}
