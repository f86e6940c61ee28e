using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Store.History;
using Qubes.Store.Journal;

namespace Qubes.Store.Saving;

/// <summary>
/// The file of the store, its journal and the history, written in the right order. All calls block on the disk and belong on the thread pool.
/// Those that write the journal come one at a time; a replacement may run beside them.
/// </summary>
internal sealed class StoreDisk(StoreOptions options, StoreFile file, ChangeHistory history, TimeProvider time, ILogger logger) : IDisposable
{
    private const UnixFileMode JournalMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private static readonly TimeSpan JournalRetry = TimeSpan.FromSeconds(10);

    private readonly uint? _group = Environment.IsPrivilegedProcess ? GroupDatabase.FindId("qubes") : null;
    private StoreJournal? _journal;
    private ulong? _lastSettled;
    private long? _journalFailed;

    /// <summary>There is a journal to append to.</summary>
    public bool HasJournal => _journal is { IsBroken: false };

    /// <summary>The part of the journal's half that is used.</summary>
    public double Fill => _journal?.Fill ?? 0;

    /// <summary>Goes on with the journal that was found at start.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public void Open(JournalScan scan, bool isOtherFree) => _journal = new StoreJournal(options.JournalFile, scan, isOtherFree);

    /// <summary>Makes changes durable in the journal.</summary>
    /// <returns>False if they cannot go there, and nothing was done.</returns>
    /// <exception cref="Qubes.Protocol.Errors.QubesException">Somebody else changed the store.</exception>
    public bool TryAppend(ReadOnlySpan<byte> change, ReadOnlySpan<byte> historyLines)
    {
        file.VerifyOurs();
        if (!HasJournal || !_journal!.Fits(change.Length))
        {
            return false;
        }

        try
        {
            _journal.Append(change);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.JournalFailed(e, options.JournalFile);
            return false;
        }

        AppendHistory(historyLines);
        return true;
    }

    /// <summary>Notes in the journal which file comes next; what is appended afterwards are changes of it.</summary>
    /// <returns>Null without a journal: the file then speaks for itself by its revision.</returns>
    public ulong? Begin(StoreIdentity store, long revision)
    {
        if (!HasJournal)
        {
            return null;
        }

        try
        {
            return _journal!.Begin(new BaseMark(revision, store));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.JournalFailed(e, options.JournalFile);
            return null;
        }
    }

    /// <summary>Replaces the file; on return it is durable, and so is the history up to it.</summary>
    public void Replace(ReadOnlySpan<byte> content)
    {
        try
        {
            history.Flush();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.HistoryFailed(e, options.HistoryDirectory);
        }

        file.Replace(content);
    }

    /// <summary>Notes that the file of a base is in place. Makes a new journal where there is none that can be used.</summary>
    public void Settle(ulong? baseSequence, StoreIdentity store, long revision)
    {
        if (baseSequence is { } sequence && HasJournal)
        {
            Settle(sequence, isDurable: false);
            return;
        }

        // The file has everything: the old journal, if any, has nothing more to say.
        if (_journalFailed is { } failed && time.GetElapsedTime(failed) < JournalRetry)
        {
            return;
        }

        try
        {
            _journal?.Dispose();
            _journal = null;
            StoreJournal.Create(options.JournalFile, options.JournalSize, JournalMode, _group);
            _journal = new StoreJournal(options.JournalFile, JournalScan.Read(new byte[options.JournalSize]), isOtherFree: false);
            Settle(_journal.Begin(new BaseMark(revision, store)), isDurable: false);
            _journalFailed = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _journalFailed = time.GetTimestamp();
            logger.NoJournal(e, options.JournalFile);
        }
    }

    /// <summary>The file of a base was not put in place.</summary>
    public void Withdraw(ulong? baseSequence)
    {
        if (baseSequence is { } sequence && HasJournal && !file.IsReplaced)
        {
            _journal!.Withdraw(sequence);
        }
    }

    public void AppendHistory(ReadOnlySpan<byte> lines)
    {
        try
        {
            history.Append(lines);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.HistoryFailed(e, options.HistoryDirectory);
        }
    }

    /// <summary>The end: the history and the note about the last file are durable.</summary>
    public void Close()
    {
        try
        {
            history.Flush();
            if (_lastSettled is { } sequence && HasJournal)
            {
                Settle(sequence, isDurable: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.HistoryFailed(e, options.HistoryDirectory);
        }

        Dispose();
    }

    public void Dispose()
    {
        _journal?.Dispose();
        _journal = null;
        file.Dispose();
    }

    private void Settle(ulong sequence, bool isDurable)
    {
        try
        {
            _journal!.Settle(sequence, isDurable);
            _lastSettled = sequence;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.JournalFailed(e, options.JournalFile);
        }
    }
}
