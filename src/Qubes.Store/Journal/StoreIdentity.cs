using System.IO.Hashing;

namespace Qubes.Store.Journal;

/// <summary>
/// Tells one content of the store from every other. It guards against mistakes (a file edited, restored or copied), not against somebody who
/// may write the store, and who could write the journal as well.
/// </summary>
/// <param name="Length">Bytes.</param>
/// <param name="Hash">XxHash128 of them.</param>
internal readonly record struct StoreIdentity(long Length, UInt128 Hash)
{
    public static StoreIdentity Of(ReadOnlySpan<byte> content) => new(content.Length, XxHash128.HashToUInt128(content));
}
