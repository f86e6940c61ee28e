using System.Buffers;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Protocol.Errors;
using Qubes.Store.Format;
using Qubes.Store.History;
using Qubes.Store.Journal;
using Qubes.Store.Loading;

namespace Qubes.Store.Saving;

/// <summary>
/// Makes changes durable. Those that wait share one record of the journal; the file follows in the background. The first change of a run, one
/// too large for the journal, and those made while there is no journal replace the file themselves. Belongs to the model loop; disk work runs on
/// the thread pool.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "CloseAsync is the end of it, and has to wait for the disk.")]
internal sealed partial class StoreWriter(
    QubesApp app, StoreOptions options, StoreFile file, StoreDisk disk, StoreSerializer serializer, TimeProvider time, ILogger logger)
{
    // Elements made at a time while preparing: some milliseconds of the loop.
    private const int PreparedAtOnce = 16;

    // From here on a new file is due at once: the rest must hold what comes until it is there.
    private const double MostFill = 0.5;

    // Held while the journal is written. Whoever takes both takes this one first.
    private readonly AsyncLock _journal = new();

    // Held while the file is replaced.
    private readonly AsyncLock _replacing = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly ArrayBufferWriter<byte> _record = new();
    private readonly ArrayBufferWriter<byte> _lines = new();
    private List<PendingCommit> _pending = [];
    private List<PendingCommit> _saving = [];
    private Task _saveLoop = Task.CompletedTask;
    private Task _fileLoop = Task.CompletedTask;
    private TaskCompletionSource _fileIsDue = new();
    private Task _preparing = Task.CompletedTask;
    private Task _keeping = Task.CompletedTask;

    // Which file was loaded, and whether the journal goes on from it; not the rest of it, which is large.
    private (StoreIdentity Store, bool IsJournalAtFile)? _loaded;
    private byte[] _content = [];
    private long _savedVersion = -1;
    private long _savedRevision;
    private long _fileRevision;

    // What the serializer keeps is what file and journal have together: a delta says all.
    private bool _hasBase;

    /// <summary>The model is what the disk has; whether the file is byte for byte what would be written now is not known.</summary>
    public void Loaded(RecoveredStore recovered)
    {
        _savedVersion = app.Changes.Version;
        _savedRevision = app.Changes.Revision;
        _fileRevision = recovered.IsFileBehind ? -1 : app.Changes.Revision;
        _loaded = (recovered.Identity, recovered.IsJournalAtFile);

        // Start-up does not wait for the copy; the first new file does.
        ReadOnlyMemory<byte> content = recovered.Content;
        _keeping = recovered.IsFromGeneration || file.IsReadOnly ? Task.CompletedTask : Task.Run(() => file.KeepGeneration(content.Span));
    }

    /// <summary>A new store was written: the text and the model are one.</summary>
    public void Created(ReadOnlySpan<byte> content)
    {
        _savedVersion = app.Changes.Version;
        _savedRevision = app.Changes.Revision;
        _fileRevision = _savedRevision;
        disk.Settle(null, StoreIdentity.Of(content), _fileRevision);
        _hasBase = disk.HasJournal;
    }

    public Task CommitAsync(ModelChange change)
    {
        if (!change.HasMutations && app.Changes.Version == _savedVersion && _saving.Count == 0 && _pending.Count == 0)
        {
            change.Complete();
            return Task.CompletedTask;
        }

        app.Changes.AssignRevision(change);
        PendingCommit pending = new(change);
        _pending.Add(pending);
        if (_saveLoop.IsCompleted)
        {
            _saveLoop = SaveAsync();
        }

        return pending.Done.Task;
    }

    /// <summary>
    /// Makes the elements of all qubes in small portions, so that the first change need not. Where they make up the file as it is, that change can
    /// go to the journal; otherwise it replaces the file, which until then stays as it was found.
    /// </summary>
    public Task PrepareAsync() => _preparing = PrepareInPortionsAsync();

    /// <summary>Brings the file up to what has been acknowledged.</summary>
    public async Task WriteFileAsync()
    {
        Replacement replacement;
        using (await _journal.AcquireAsync())
        {
            if (_hasBase && _savedRevision == _fileRevision)
            {
                return;
            }

            if (!_hasBase)
            {
                // With changes under way the model has what is not durable yet; their commit replaces the file.
                if (_pending.Count == 0)
                {
                    _savedVersion = app.Changes.Version;
                    serializer.Update();
                    await ReplaceWholeAsync(_savedRevision, default);
                }

                return;
            }

            replacement = await BeginAsync(_savedRevision);
        }

        try
        {
            await ReplaceAsync(replacement);
        }
        catch
        {
            using (await _journal.AcquireAsync())
            {
                disk.Withdraw(replacement.Base);
            }

            throw;
        }

        using (await _journal.AcquireAsync())
        {
            await Task.Run(() => disk.Settle(replacement.Base, replacement.Store, replacement.Revision));
        }
    }

    public async Task CloseAsync()
    {
        await _closing.CancelAsync();
        await Task.WhenAll(_keeping, _preparing, _saveLoop, _fileLoop);
        try
        {
            if (_savedRevision != _fileRevision)
            {
                await WriteFileAsync();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or QubesException)
        {
            logger.FileBehind(e, file.Path, disk.Fill);
        }

        await Task.Run(disk.Close);
    }

    private async Task SaveAsync()
    {
        // Let the requests that are ready to run on the loop join the first save.
        await Task.Yield();
        while (_pending.Count > 0)
        {
            using (await _journal.AcquireAsync())
            {
                (_saving, _pending) = (_pending, _saving);
                try
                {
                    await SaveTogetherAsync();
                }
                catch (Exception e)
                {
                    TakeBack(e);
                    continue;
                }
            }

            List<PendingCommit> saved = _saving;
            _saving = [];
            foreach (PendingCommit commit in saved)
            {
                commit.Change.Complete();
                commit.Done.SetResult();
            }
        }
    }

    private async Task SaveTogetherAsync()
    {
        long version = app.Changes.Version;
        long revision = _saving[^1].Change.Revision;
        StoreDelta delta = serializer.Update();
        _lines.ResetWrittenCount();
        foreach (PendingCommit commit in _saving)
        {
            ChangeHistory.Encode(commit.Change, _lines);
        }

        bool isJournaled = false;
        if (_hasBase)
        {
            _record.ResetWrittenCount();
            JournaledChange.Write(delta, revision, _lines.WrittenSpan, _record);
            FaultPoint.Hit("store-save:serialized");
            isJournaled = await Task.Run(() => disk.TryAppend(_record.WrittenSpan, _lines.WrittenSpan));
        }

        if (isJournaled)
        {
            WantFile();
        }
        else
        {
            FaultPoint.Hit("store-save:serialized");
            await ReplaceWholeAsync(revision, _lines.WrittenMemory);
        }

        FaultPoint.Hit("store-save:acknowledge");
        _savedVersion = version;
        _savedRevision = revision;
    }

    private async Task PrepareInPortionsAsync()
    {
        await Task.Yield();
        while (!_hasBase && !_closing.IsCancellationRequested && serializer.Prepare(PreparedAtOnce))
        {
            await Task.Yield();
        }

        using (await _journal.AcquireAsync())
        {
            if (!_hasBase && _pending.Count == 0 && _loaded is { } loaded && !_closing.IsCancellationRequested)
            {
                await AdoptFileAsync(loaded.Store, loaded.IsJournalAtFile);
            }
        }

        if (_savedRevision != _fileRevision)
        {
            WantFile();
        }
    }

    private async Task AdoptFileAsync(StoreIdentity loaded, bool isJournalAtFile)
    {
        if (app.Changes.Version != _savedVersion)
        {
            return;
        }

        try
        {
            serializer.Update();
        }
        catch (InvalidDataException e)
        {
            // The first change will meet it as well, and has somebody to tell.
            logger.SaveFailed(e, file.Path, count: 0);
            return;
        }

        StoreSnapshot snapshot = serializer.Snapshot(_savedRevision);
        _hasBase = await Task.Run(() =>
        {
            StoreIdentity identity = StoreIdentity.Of(snapshot.Write(ref _content).Span);
            if (identity != loaded)
            {
                return false;
            }

            if (!isJournalAtFile)
            {
                disk.Settle(disk.Begin(identity, snapshot.Revision), identity, snapshot.Revision);
            }

            return disk.HasJournal;
        });
    }

    /// <summary>Makes durable by the file what the journal has not. With the journal's lock held.</summary>
    private async Task ReplaceWholeAsync(long revision, ReadOnlyMemory<byte> historyLines)
    {
        _hasBase = false;
        Replacement replacement = await BeginAsync(revision);
        try
        {
            await ReplaceAsync(replacement);
        }
        catch
        {
            disk.Withdraw(replacement.Base);
            throw;
        }

        await Task.Run(() =>
        {
            disk.AppendHistory(historyLines.Span);
            disk.Settle(replacement.Base, replacement.Store, revision);
        });
        _hasBase = disk.HasJournal;
    }

    /// <summary>Takes the text as the serializer keeps it, and notes it in the journal. With the journal's lock held.</summary>
    private async Task<Replacement> BeginAsync(long revision)
    {
        AsyncLock.Holder holder = await _replacing.AcquireAsync();
        try
        {
            await _keeping;
            StoreSnapshot snapshot = serializer.Snapshot(revision);
            return await Task.Run(() =>
            {
                ReadOnlyMemory<byte> content = snapshot.Write(ref _content);
                StoreIdentity identity = StoreIdentity.Of(content.Span);
                return new Replacement(revision, content, identity, disk.Begin(identity, revision), holder);
            });
        }
        catch
        {
            holder.Dispose();
            throw;
        }
    }

    private async Task ReplaceAsync(Replacement replacement)
    {
        using (replacement.Holder)
        {
            await Task.Run(() => disk.Replace(replacement.Content.Span));
            _fileRevision = replacement.Revision;
        }
    }

    // What was changed later was built on what now goes: newest first, all of it.
    private void TakeBack(Exception failure)
    {
        List<PendingCommit> failed = [.. _saving, .. _pending];
        _saving = [];
        _pending = [];
        _hasBase = false;
        logger.SaveFailed(failure, file.Path, failed.Count);
        for (int i = failed.Count - 1; i >= 0; i--)
        {
            failed[i].Change.Rollback();
        }

        string text = failure is QubesException known ? known.Message : $"Cannot save qubes.xml, nothing was changed: {failure.Message}";
        foreach (PendingCommit commit in failed)
        {
            commit.Done.SetException(new QubesException(QubesErrorNames.QubesException, text, failure));
        }
    }
}
