namespace Qubes.Storage;

/// <summary>One option of a pool driver, as listed by <c>admin.pool.ListDrivers</c> and accepted by <c>admin.pool.Add</c>.</summary>
/// <param name="Name">The key.</param>
/// <param name="IsMandatory">A pool cannot be made without it.</param>
/// <param name="IsStored">It becomes an attribute of the pool in the store.</param>
public sealed record PoolParameter(string Name, bool IsMandatory = false, bool IsStored = true);
