using System.Diagnostics.CodeAnalysis;
using System.Xml;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Protocol.Errors;
using Qubes.Store.Format;
using Qubes.Store.History;
using Qubes.Store.Journal;
using Qubes.Store.Saving;

namespace Qubes.Store.Loading;

/// <summary>
/// Finds out what the files of a store say together: the file, or a good generation when it is damaged, with the changes of the journal that
/// belong to exactly that file. A journal that belongs to another one is put aside, never applied. Blocks on the disk.
/// </summary>
internal sealed class StoreRecovery(StoreOptions options, StoreFile file, StoreDisk disk, ChangeHistory history, ILogger logger)
{
    /// <exception cref="QubesException">Neither the store nor any generation can be read, or somebody else uses it.</exception>
    public RecoveredStore Run()
    {
        byte[] content = file.Read();
        if (!file.IsReadOnly)
        {
            file.RemoveLeftovers();
            AtomicFile.RemoveLeftovers(options.JournalFile);
        }

        JournalScan? scan = ReadJournal(options.JournalFile);
        bool isDamaged = !TryParse(content, out StoreDocument? document, out string damage);
        if (isDamaged)
        {
            (content, document) = FallBack(damage, scan);
        }

        StoreIdentity identity = StoreIdentity.Of(content);
        long fileRevision = document!.Revision;
        long historyRevision = history.Recover(file.IsReadOnly);
        if (scan is null)
        {
            return Result(content, document, identity, Math.Max(fileRevision, historyRevision), changes: 0, isJournalAtFile: false, isDamaged);
        }

        JournalMatch match = JournalMatch.Find(scan, identity);
        long revision = Math.Max(Math.Max(fileRevision, historyRevision), match.LastRevision);
        if (!match.IsFound)
        {
            bool isLost = match.Outstanding.Count > 0 && (isDamaged || match.LastRevision > fileRevision);
            if (isLost)
            {
                string kept = PutAside("journal-unfit");
                logger.JournalUnfit(match.Outstanding.Count, options.JournalFile, match.LastRevision, file.Path, kept);
            }
            else if (!file.IsReadOnly)
            {
                disk.Open(scan, isOtherFree: true);
            }

            return Result(content, document, identity, revision, changes: 0, isJournalAtFile: false, isDamaged);
        }

        bool isWhole = TryReplay(ref document, content, match) && !scan.IsDamaged && !match.IsUnreadable;
        if (!isWhole)
        {
            logger.JournalDamaged(options.JournalFile, document.Revision, PutAside("journal-damaged", copy: true));
        }
        else if (!file.IsReadOnly)
        {
            disk.Open(scan, isOtherFree: match.BaseIndex >= scan.RecordsInOtherHalf);
        }

        if (match.Changes.Count > 0)
        {
            logger.Replayed(match.Changes.Count, options.JournalFile);
            AddHistory(match.Changes, historyRevision);
        }

        return Result(content, document, identity, revision, match.Changes.Count, isWhole && match.Changes.Count == 0, isDamaged);
    }

    /// <summary>The journal that is there; null if there is none. One of impossible size is read as one without records.</summary>
    public static JournalScan? ReadJournal(string path)
    {
        FileInfo info = new(path);
        if (!info.Exists)
        {
            return null;
        }

        return JournalScan.Read(info.Length <= JournalFormat.MaxFileLength ? File.ReadAllBytes(path) : default);
    }

    public static bool TryParse(ReadOnlyMemory<byte> content, [NotNullWhen(true)] out StoreDocument? document, out string damage)
    {
        try
        {
            document = StoreReader.Read(content);
            damage = "it has no section of qubes";
            return document.HasQubes;
        }
        catch (XmlException e)
        {
            document = null;
            damage = e.Message;
            return false;
        }
    }

    private static RecoveredStore Result(
        byte[] content, StoreDocument document, StoreIdentity identity, long revision, int changes, bool isJournalAtFile, bool isDamaged) =>
        new(content, document, identity, revision, IsFileBehind: changes > 0, isJournalAtFile, isDamaged);

    private static bool TryReplay(ref StoreDocument document, byte[] content, JournalMatch match)
    {
        try
        {
            JournalReplay.Apply(document, match.Changes);
            return true;
        }
        catch (XmlException)
        {
            document = StoreReader.Read(content);
            return false;
        }
    }

    private void AddHistory(IReadOnlyList<JournaledChange> changes, long last)
    {
        if (file.IsReadOnly)
        {
            return;
        }

        try
        {
            foreach (JournaledChange change in changes)
            {
                last = history.AppendMissing(change.History.Span, last);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.HistoryFailed(e, options.HistoryDirectory);
        }
    }

    private string PutAside(string kind, bool copy = false)
    {
        string kept = file.FreeName(kind);
        try
        {
            if (copy)
            {
                File.Copy(options.JournalFile, kept);
            }
            else
            {
                File.Move(options.JournalFile, kept);
            }

            return kept;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.GenerationFailed(e, kept);
            return options.JournalFile;
        }
    }

    // The newest that can be read; one the journal goes on from is better still.
    private (byte[] Content, StoreDocument Document) FallBack(string damage, JournalScan? scan)
    {
        List<(string Path, byte[] Content, StoreDocument Document)> good = [];
        foreach (string generation in file.Generations())
        {
            byte[] content = File.ReadAllBytes(generation);
            if (TryParse(content, out StoreDocument? document, out _))
            {
                good.Add((generation, content, document));
            }
        }

        if (good.Count == 0)
        {
            throw QubesErrors.General($"Qubes XML store '{file.Path}' is damaged ({damage}) and no good copy exists");
        }

        int at = scan is null ? 0 : Math.Max(0, good.FindIndex(g => JournalMatch.Find(scan, StoreIdentity.Of(g.Content)).IsFound));
        logger.Damaged(file.Path, damage, file.ReplaceKeeping(good[at].Content, "damaged"), good[at].Path);
        return (good[at].Content, good[at].Document);
    }
}
