using System.Xml;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Host;
using Qubes.Store.Format;
using Qubes.Store.Journal;
using Qubes.Store.Loading;

namespace Qubes.Store.Inspection;

/// <summary>Looks at a store as a start would, without the daemon and without changing anything. Whether a daemon runs does not matter.</summary>
public static class StoreCheck
{
    /// <param name="path">The file; a journal beside it is taken into account.</param>
    /// <param name="host">What the qubes' values may depend on.</param>
    /// <param name="classes">What classes of qubes there are; the daemon's own by default.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static StoreReport Run(string path, IHostFacts host, QubeClassSet? classes = null)
    {
        byte[] content = File.ReadAllBytes(path);
        JournalScan? scan = StoreRecovery.ReadJournal(new StoreOptions { StoreFile = path, HistoryDirectory = "" }.JournalFile);
        List<StoreProblem> problems = [];
        StoreDocument document;
        try
        {
            document = StoreReader.Read(content);
        }
        catch (XmlException e)
        {
            return new StoreReport(0, 0, 0, [new StoreProblem(StoreProblem.Line(e.LineNumber), e.Message)]);
        }

        if (!document.HasQubes)
        {
            return new StoreReport(0, 0, 0, [new StoreProblem(StoreProblem.Line(1), "it has no section of qubes: this is no store, or not all of it")]);
        }

        int outstanding = scan is null ? 0 : ApplyJournal(scan, content, ref document, problems);
        QubesApp app = new(host, classes: classes);
        PreservedEntries preserved = new();
        problems.AddRange(StoreLoader.Load(app, document, content, preserved));
        int reported = app.Problems.Count;
        app.FinishLoading();
        problems.AddRange(app.Problems.Skip(reported).Select(text => new StoreProblem("qubes", text)));
        try
        {
            new StoreSerializer(app, preserved).Build(document.Revision);
        }
        catch (InvalidDataException e)
        {
            problems.Add(new StoreProblem("qubes", $"the next save would fail: {e.Message}"));
        }

        return new StoreReport(app.Domains.Count, document.Revision, outstanding, problems);
    }

    private static int ApplyJournal(JournalScan scan, byte[] content, ref StoreDocument document, List<StoreProblem> problems)
    {
        JournalMatch match = JournalMatch.Find(scan, StoreIdentity.Of(content));
        if (!match.IsFound)
        {
            if (match.Outstanding.Count > 0 && match.LastRevision > document.Revision)
            {
                problems.Add(new StoreProblem("journal",
                    $"{match.Outstanding.Count} group(s) of changes, up to revision {match.LastRevision}, belong to another file and would not be applied"));
            }

            return 0;
        }

        if (scan.IsDamaged || match.IsUnreadable)
        {
            problems.Add(new StoreProblem("journal", "it is damaged in the middle: changes after that place are lost"));
        }

        try
        {
            JournalReplay.Apply(document, match.Changes);
        }
        catch (XmlException e)
        {
            problems.Add(new StoreProblem("journal", $"a change in it cannot be read, and none of them would be applied: {e.Message}"));
            document = StoreReader.Read(content);
        }

        return match.Changes.Count;
    }
}
