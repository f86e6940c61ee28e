using Qubes.Linux;
using Qubes.Store.Journal;

namespace Qubes.Store.Saving;

/// <summary>A new file of the store on its way.</summary>
/// <param name="Revision">The last commit in it.</param>
/// <param name="Content">Its bytes; they stay as they are until <paramref name="Holder"/> is let go.</param>
/// <param name="Store">What tells it from others.</param>
/// <param name="Base">Its note in the journal; null without a journal.</param>
/// <param name="Holder">The right to replace the file.</param>
internal sealed record Replacement(long Revision, ReadOnlyMemory<byte> Content, StoreIdentity Store, ulong? Base, AsyncLock.Holder Holder);
