namespace Qubes.Storage;

/// <summary>A creation or removal of a qube's data under way; see <see cref="QubeDataIntents"/>.</summary>
public sealed class QubeDataIntent
{
    internal QubeDataIntent(string path, string qubeDirectory)
    {
        Path = path;
        QubeDirectory = qubeDirectory;
    }

    internal string Path { get; }

    internal string QubeDirectory { get; }

    /// <summary>The store tells the truth about the qube again: created and saved, or removed together with its data.</summary>
    public Task CloseAsync() => Task.Run(() => QubeDataIntents.Delete(Path));
}
