namespace Qubes.Storage;

/// <summary>What only the disk knows of a volume.</summary>
/// <param name="Size">Bytes the qube sees.</param>
/// <param name="Usage">Bytes taken on disk.</param>
/// <param name="Path">Where its data is while the qube runs; null for none.</param>
/// <param name="IsDirty">It was started and not stopped: it holds changes not committed.</param>
/// <param name="IsOutdated">The source has moved on since the snapshot was taken; null for what is no snapshot.</param>
public sealed record VolumeStatus(long Size, long Usage, string? Path, bool IsDirty, bool? IsOutdated);
