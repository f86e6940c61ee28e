using Qubes.Linux;

namespace Qubes.Store.Files;

/// <summary>
/// New contents of files that lie beside the old ones, durable, and wait for a commit. Order: <see cref="FileCommits.PrepareAsync"/> → the
/// commit → <see cref="FinishAsync"/>. Disposed before that they are thrown away.
/// </summary>
public sealed class FileCommit : IAsyncDisposable
{
    private readonly FileCommits _owner;
    private readonly string _recordPath;
    private readonly FileCommitRecord _record;
    private bool _isOver;

    internal FileCommit(FileCommits owner, string recordPath, FileCommitRecord record)
    {
        _owner = owner;
        _recordPath = recordPath;
        _record = record;
    }

    /// <summary>The commit is durable: the new contents take their places. What fails now is done before anything else is prepared, or at the next start.</summary>
    public async Task FinishAsync()
    {
        _isOver = true;
        FaultPoint.Hit("file-commit-decided");
        await Task.Run(() => _owner.Apply(_recordPath, _record));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_isOver)
        {
            _isOver = true;
            await Task.Run(() => _owner.Discard(_recordPath, _record));
        }
    }
}
