using Microsoft.Win32.SafeHandles;
using Qubes.Linux;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <content>How working copies, imports and empty overlays become the head.</content>
internal sealed partial class Qcow2Volume
{
    private void CommitWorkingCopy()
    {
        Qcow2Header header = CheckWorkingCopy();
        LayerTree tree = Layers.Read();
        if (Root.Find(Dirty)!.Value.Size <= Qcow2Header.EmptyLength(header.Size) && header.Size == tree.Head.Size)
        {
            // Nothing was written: no revision.
            Root.Remove(Dirty);
            Root.SyncDirectoryOf(Dirty);
            return;
        }

        using (SafeFileHandle file = Root.OpenRead(Dirty))
        {
            FileContent.Sync(file);
        }

        int id = tree.NextId;
        Layer layer = new(id, id, DiskFormat.Qcow2, tree.HeadId, header.Size, Now(), IsRevision: false);
        using LayerChange change = new(Place.Intents, Layers, "commit", Vid);
        change.Carry(
            tree.Push(layer, keepFormerHead: RevisionsToKeep > 0).KeepRevisions(RevisionsToKeep), IntentStep.Rename(Dirty, Layers.PathOf(layer)));
    }

    /// <summary>The working copy must still lie on the head as we made it: tools run by root are about to follow its header.</summary>
    private Qcow2Header CheckWorkingCopy()
    {
        try
        {
            Qcow2Header expected = Layers.OverlayHeader(Layers.Read().Head, 0);
            Qcow2Header header = Qcow2File.ReadHeader(Root, Dirty);
            if (header.BackingName == expected.BackingName && header.BackingFormat == expected.BackingFormat)
            {
                return header;
            }
        }
        catch (FormatException e)
        {
            throw new QubesException(QubesErrorNames.StoragePool, $"The working copy of volume {Vid} was tampered with or is damaged; it is left as it is", e);
        }

        throw QubesErrors.StoragePool($"The working copy of volume {Vid} was tampered with or is damaged; it is left as it is");
    }

    private void PushOverlay(string operation, Layer onto, long size, bool keepFormerHead, Layer? hide = null)
    {
        LayerTree tree = Layers.Read();
        int id = tree.NextId;
        Layer layer = new(id, id, DiskFormat.Qcow2, onto.Id, size, Now(), IsRevision: false);
        string made = Temporary(Layers.PathOf(layer));
        using LayerChange change = new(Place.Intents, Layers, operation, Vid, made);
        Qcow2File.CreateEmpty(Root, made, Layers.OverlayHeader(onto, size), isDurable: true);
        FaultPoint.Hit($"storage-{operation}-built");
        LayerTree changed = tree.Push(layer, keepFormerHead);
        if (hide is not null)
        {
            Layer chosen = changed.Find(hide.Id);
            changed = changed.Replace(chosen, chosen with { IsRevision = false });
        }

        change.Carry(changed, IntentStep.Rename(made, Layers.PathOf(layer)));
    }

    private void CommitRaw(LayerChange change, string rawFile)
    {
        long size = RoundUp(Root.Find(rawFile)!.Value.Size);
        using (SafeFileHandle file = Root.OpenWrite(rawFile))
        {
            FileContent.SetLength(file, size);
            FileContent.Sync(file);
        }

        LayerTree tree = Layers.Exists ? Layers.Read() : new LayerTree(0, []);
        int id = tree.NextId;
        Layer layer = new(id, id, DiskFormat.Raw, Parent: 0, size, Now(), IsRevision: false);
        change.Carry(
            tree.Push(layer, keepFormerHead: RevisionsToKeep > 0).KeepRevisions(RevisionsToKeep), IntentStep.Rename(rawFile, Layers.PathOf(layer)));
    }
}
