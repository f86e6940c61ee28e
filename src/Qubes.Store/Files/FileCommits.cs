using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model.Changes;
using Qubes.Store.History;

namespace Qubes.Store.Files;

/// <summary>
/// Keeps files of qubes (firewall rules, notes) and the store together where no single write can. Before a commit the new contents are made
/// durable beside the old ones, with a record in <c>.file-commits</c> of which commit they wait for; after it they are renamed into place. At
/// start the history says whether a commit came about, and the files follow.
/// </summary>
/// <param name="directory">The directory of the state, below which the directories of qubes lie.</param>
/// <param name="history">What was committed.</param>
/// <param name="log">Where recovery is told.</param>
public sealed class FileCommits(string directory, HistoryReader history, ILogger log)
{
    private const string DirectoryName = ".file-commits";
    private const string Suffix = ".json";
    private const UnixFileMode RecordMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _records = Path.Combine(directory, DirectoryName);

    // Committed, but an error (a disk that is read-only, say) kept the files from their places. Guarded by itself.
    private readonly Dictionary<string, FileCommitRecord> _unsettled = new(StringComparer.Ordinal);

    /// <summary>Durable on return.</summary>
    /// <param name="origin">The origin of the change they belong to.</param>
    /// <param name="revision">The last revision there is.</param>
    /// <param name="changes">The new contents.</param>
    /// <exception cref="IOException">They could not be written; nothing is left of them.</exception>
    public Task<FileCommit> PrepareAsync(ChangeOrigin origin, long revision, IReadOnlyList<FileChange> changes) => Task.Run(() =>
    {
        Settle();
        string suffix = ".new-" + KernelRandom.HexString(12);
        FileCommitRecord record = new(revision, origin, [.. changes.Select(change =>
            new KeyValuePair<string, string?>(change.Path, change.Content is null ? null : Path.GetFileName(change.Path) + suffix))]);
        string recordPath = Path.Combine(_records, KernelRandom.HexString(16) + Suffix);
        Directory.CreateDirectory(_records);
        AtomicFile.Write(recordPath, record.Write(), RecordMode);
        FaultPoint.Hit("file-commit-announced");
        try
        {
            uint? group = Environment.IsPrivilegedProcess ? GroupDatabase.FindId("qubes") : null;
            foreach ((FileChange change, KeyValuePair<string, string?> file) in changes.Zip(record.Files))
            {
                if (change.Content is { } content)
                {
                    AtomicFile.Write(StagedPath(file), content.Span, change.Mode, group);
                }
            }
        }
        catch
        {
            Discard(recordPath, record);
            throw;
        }

        FaultPoint.Hit("file-commit-prepared");
        return new FileCommit(this, recordPath, record);
    });

    /// <summary>Finishes or throws away what a crash interrupted. Called at start, before any of the files is read. Blocks on the disk.</summary>
    /// <param name="revision">The last revision the store has.</param>
    /// <returns>How many commits were found.</returns>
    public int Recover(long revision)
    {
        if (!Directory.Exists(_records))
        {
            return 0;
        }

        int count = 0;
        foreach (string path in Directory.EnumerateFiles(_records).Order(StringComparer.Ordinal).ToArray())
        {
            if (!path.EndsWith(Suffix, StringComparison.Ordinal))
            {
                // A record cut short: it announced nothing yet.
                File.Delete(path);
                continue;
            }

            count++;
            try
            {
                FileCommitRecord record = FileCommitRecord.Parse(new FileInfo(path).Length <= FileCommitRecord.MaxLength
                    ? File.ReadAllBytes(path)
                    : throw new FormatException("it is too long"));
                bool isCommitted = IsCommitted(record, revision);
                log.LogWarning("{Decision} interrupted change of files: {Call}", isCommitted ? "Finishing" : "Undoing", LogText.Escape(record.Origin.Call));
                if (isCommitted)
                {
                    Apply(path, record);
                }
                else
                {
                    Discard(path, record);
                }
            }
            catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
            {
                log.LogError(e, "The change of files announced in {File} could not be finished and is left in place", path);
            }
        }

        return count;
    }

    internal void Apply(string recordPath, FileCommitRecord record)
    {
        try
        {
            foreach (KeyValuePair<string, string?> file in record.Files)
            {
                Place(file);
            }

            Close(recordPath);
        }
        catch
        {
            lock (_unsettled)
            {
                _unsettled[recordPath] = record;
            }

            throw;
        }
    }

    internal void Discard(string recordPath, FileCommitRecord record)
    {
        foreach (KeyValuePair<string, string?> file in record.Files.Where(file => file.Value is not null && Directory.Exists(Path.GetDirectoryName(StagedPath(file)))))
        {
            File.Delete(StagedPath(file));
            AtomicFile.RemoveLeftovers(StagedPath(file));
        }

        Close(recordPath);
    }

    private void Settle()
    {
        lock (_unsettled)
        {
            foreach ((string path, FileCommitRecord record) in _unsettled.ToArray())
            {
                foreach (KeyValuePair<string, string?> file in record.Files)
                {
                    Place(file);
                }

                Close(path);
                _unsettled.Remove(path);
            }
        }
    }

    /// <summary>May be done again after it was done.</summary>
    private void Place(KeyValuePair<string, string?> file)
    {
        string path = Path.Combine(directory, file.Key);
        string parent = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(parent))
        {
            // The qube is gone, and with it all it had.
            return;
        }

        if (file.Value is null)
        {
            File.Delete(path);
        }
        else if (File.Exists(StagedPath(file)))
        {
            File.Move(StagedPath(file), path, overwrite: true);
        }

        AtomicFile.SyncDirectory(parent);
    }

    private void Close(string recordPath)
    {
        File.Delete(recordPath);
        AtomicFile.SyncDirectory(_records);
        FaultPoint.Hit("file-commit-closed");
    }

    private string StagedPath(KeyValuePair<string, string?> file) => Path.Combine(directory, Path.GetDirectoryName(file.Key)!, file.Value!);

    private bool IsCommitted(FileCommitRecord record, long revision)
    {
        long? newest = null;
        foreach (HistoryEntry entry in history.NewestFirst())
        {
            newest ??= entry.Revision;
            if (entry.Revision <= record.After)
            {
                break;
            }

            if (entry.When == record.Origin.When && entry.Who == record.Origin.Who && entry.Call == record.Origin.Call)
            {
                return true;
            }
        }

        // Only where a new store came before its line of the history is the history behind: then it was this commit that was cut short.
        return revision > record.After && revision > (newest ?? 0);
    }
}
