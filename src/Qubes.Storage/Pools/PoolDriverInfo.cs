using Qubes.Model.Volumes;

namespace Qubes.Storage;

/// <summary>What there is to know of a pool driver before a pool exists.</summary>
/// <param name="Name">The name in the store and the API, such as <c>file-reflink</c>.</param>
/// <param name="Description">One line for people.</param>
/// <param name="Parameters">In the order in which <c>admin.pool.ListDrivers</c> reports them.</param>
/// <param name="Capabilities">What its volumes can do.</param>
/// <param name="Open">Makes the pool object from checked options; touches no disk.</param>
public sealed record PoolDriverInfo(
    string Name,
    string Description,
    IReadOnlyList<PoolParameter> Parameters,
    PoolCapabilities Capabilities,
    Func<PoolConfig, StorageEnvironment, Pool> Open)
{
    /// <summary>Who does the work, if that is not part of the daemon.</summary>
    internal IExternalDriver? External { get; init; }
}
