namespace Qubes.Storage;

/// <summary>A creation or removal of a qube's data under way; see <see cref="QubeDataIntents"/>.</summary>
public sealed class QubeDataIntent
{
    private readonly string _path;

    internal QubeDataIntent(string path) => _path = path;

    /// <summary>The store tells the truth about the qube again: created and saved, or removed together with its data.</summary>
    public Task CloseAsync() => Task.Run(() => QubeDataIntents.Delete(_path));
}
