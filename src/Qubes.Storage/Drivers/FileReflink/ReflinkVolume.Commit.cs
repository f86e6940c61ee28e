using Microsoft.Win32.SafeHandles;
using Qubes.Linux;

namespace Qubes.Storage;

/// <content>How a new state becomes the committed one.</content>
internal sealed partial class ReflinkVolume
{
    private void Commit(string operation, string newState)
    {
        using (SafeFileHandle file = Root.OpenRead(newState))
        {
            FileContent.Sync(file);
        }

        using Intent intent = Place.Intents.Begin(operation, Vid);
        intent.Carry(CommitSteps(newState));
    }

    private List<IntentStep> CommitSteps(string newState)
    {
        List<IntentStep> steps = [];
        IReadOnlyList<ReflinkRevision> revisions = Revisions();
        List<string> kept = [.. revisions.Select(revision => $"{QubeDirectory}/{revision.FileName}")];
        if (RevisionsToKeep > 0 && Root.Exists(Clean))
        {
            string revision = NextRevision(revisions);
            steps.Add(IntentStep.Link(Clean, revision));
            kept.Add(revision);
        }

        steps.Add(IntentStep.Remove(Precache));
        steps.Add(IntentStep.Rename(newState, Clean));
        steps.AddRange(kept.Take(Math.Max(0, kept.Count - Math.Max(0, RevisionsToKeep))).Select(IntentStep.Remove));
        return steps;
    }

    /// <summary>Best effort and only where it is cheap: a missing one costs the next start a copy.</summary>
    private void MakePrecache(CancellationToken cancellationToken)
    {
        if (SnapshotsDisabled || Root.Find(Clean) is not { } clean)
        {
            return;
        }

        string made = Temporary(Precache);
        try
        {
            using SafeFileHandle source = Root.OpenRead(Clean);
            bool isCheap;
            using (SafeFileHandle target = Root.Create(made))
            {
                isCheap = FileContent.TryClone(source, target);
                FileContent.SetModified(target, clean.ModifiedNanoseconds);
            }

            if (isCheap)
            {
                FaultPoint.Hit("storage-precache-built");
                Root.Rename(made, Precache);
            }
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOSPC)
        {
            Root.Remove(Precache);
        }
        finally
        {
            Root.Remove(made);
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    private string NextRevision(IReadOnlyList<ReflinkRevision> revisions)
    {
        DateTimeOffset time = Root.Find(Clean)?.Modified ?? Place.Clock.GetUtcNow();
        return $"{QubeDirectory}/{ReflinkRevision.NameFor(Path.GetFileName(Clean), revisions.Count == 0 ? 1 : revisions[^1].Number + 1, time)}";
    }

    private IReadOnlyList<ReflinkRevision> Revisions() =>
        [.. ListFiles().Select(file => ReflinkRevision.TryParse(Path.GetFileName(Clean), file)).OfType<ReflinkRevision>().OrderBy(r => r.Number)];
}
