using Microsoft.Win32.SafeHandles;
using Qubes.Linux;

namespace Qubes.Storage;

/// <summary>
/// Keeps the tree of layers small. A layer that is neither head nor revision is needed only by those that lie on it: with none it
/// is removed; with one, that one's data is written into its file, which thereby becomes the upper state.
/// A layer that a running qube reads, directly or through others, is neither written to nor removed; it is left for a later time.
/// </summary>
/// <remarks>
/// Why a merge may be interrupted anywhere: until the list is replaced the upper image is untouched and lies on the lower one, whose
/// changed blocks are exactly those the upper one hides. What lay on the upper state may lie on either file by then.
/// </remarks>
internal sealed class LayerMerger(RootedDirectory root, IntentLog intents, LayerFiles files, string vid, QemuImage qemuImage)
{
    /// <param name="revisionsToKeep">Drops older revisions first; null leaves them.</param>
    public async Task RunAsync(int? revisionsToKeep, CancellationToken cancellationToken)
    {
        LayerTree tree = files.Read();
        if (revisionsToKeep is { } count && tree.Revisions.Count() > Math.Max(0, count))
        {
            tree = tree.KeepRevisions(count);
            using LayerChange change = new(intents, files, "prune", vid);
            change.Carry(tree);
        }

        while (NextStep(tree) is { } lower)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Layer? upper = tree.ChildrenOf(lower).FirstOrDefault();
            tree = upper is null ? Drop(tree, lower) : await MergeAsync(tree, lower, upper, cancellationToken);
        }
    }

    private Layer? NextStep(LayerTree tree) => tree.Layers.FirstOrDefault(layer =>
        layer.Id != tree.HeadId
        && !layer.IsRevision
        && tree.ChildrenOf(layer).Take(2).Count() < 2
        && !tree.SubtreeOf(layer).Any(IsInUse));

    // Besides its own name a layer has one more per running snapshot or export.
    private bool IsInUse(Layer layer) => root.Find(files.PathOf(layer)) is not { Links: 1 };

    private LayerTree Drop(LayerTree tree, Layer layer)
    {
        LayerTree changed = tree.Without(layer);
        using LayerChange change = new(intents, files, "drop", vid);
        change.Carry(changed);
        return changed;
    }

    private async Task<LayerTree> MergeAsync(LayerTree tree, Layer lower, Layer upper, CancellationToken cancellationToken)
    {
        await qemuImage.CommitAsync(root.PathOf(files.PathOf(upper)), cancellationToken);
        FaultPoint.Hit("storage-merge-copied");
        if (upper.Size < lower.Size)
        {
            // A commit only ever grows what it writes to; what lies beyond the new end must not come back when it grows again.
            await qemuImage.ShrinkAsync(root.PathOf(files.PathOf(lower)), lower.Format, upper.Size, cancellationToken);
        }

        using (SafeFileHandle file = root.OpenWrite(files.PathOf(lower)))
        {
            FileContent.Sync(file);
        }

        Layer merged = upper with { File = lower.File, Format = lower.Format, Parent = lower.Parent };
        LayerTree changed = tree.Without(lower).Replace(upper, merged);
        LayerFiles names = files;
        using LayerChange change = new(intents, files, "merge", vid);
        change.Carry(
            changed,
            [.. tree.ChildrenOf(upper).Select(child =>
                IntentStep.Rebase(names.PathOf(child), merged.Format, Path.GetFileName(names.PathOf(merged))))]);
        return changed;
    }
}
