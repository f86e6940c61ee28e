namespace Qubes.Storage;

/// <summary>Space of a pool in bytes.</summary>
/// <param name="Size">Bytes in all.</param>
/// <param name="Used">Bytes taken.</param>
public readonly record struct PoolUsage(long Size, long Used)
{
    /// <summary>As <c>admin.pool.UsageDetails</c> shows it, sorted by key.</summary>
    public IReadOnlyList<KeyValuePair<string, long>> Details => [new("data_size", Size), new("data_usage", Used)];
}
