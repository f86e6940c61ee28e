using Qubes.Linux;

namespace Qubes.Storage;

/// <summary>What stays the same while a pool's options change.</summary>
internal class PoolState
{
    public KeyedAsyncLocks<string> VolumeLocks { get; } = new(StringComparer.Ordinal);
}
