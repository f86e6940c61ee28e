namespace Qubes.Linux;

/// <summary>Space of a file system.</summary>
/// <param name="Size">Bytes in all.</param>
/// <param name="Used">Bytes taken, those reserved for root not counted.</param>
public readonly record struct FileSystemStatus(long Size, long Used);
