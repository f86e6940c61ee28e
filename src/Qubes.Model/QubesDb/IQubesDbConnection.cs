using Qubes.Protocol.QubesDb;

namespace Qubes.Model.QubesDb;

/// <summary>
/// The database of one running qube. Called on the model loop and never blocks: requests are served in the order in which they
/// were made. Paths and values were checked by the caller.
/// </summary>
public interface IQubesDbConnection
{
    void Write(string path, byte[] value);

    /// <summary>Removes an entry, or with a final <c>/</c> all below it. What is not there is no error.</summary>
    void Remove(string path);

    /// <summary>Changes of this path (with a final <c>/</c>: of what is below it) are told to <see cref="QubeDatabase.TellChange"/>.</summary>
    void Watch(string path);

    void Unwatch(string path);

    /// <summary>Completes when all requests made before are done; fails if one of them could not be.</summary>
    Task FlushAsync();

    /// <summary>Null: no such entry.</summary>
    Task<byte[]?> ReadAsync(string path);

    /// <summary>The entries whose paths start so, sorted.</summary>
    Task<IReadOnlyList<QubesDbEntry>> ReadAllAsync(string prefix);

    /// <inheritdoc cref="ReadAllAsync"/>
    Task<IReadOnlyList<string>> ListAsync(string prefix);
}
