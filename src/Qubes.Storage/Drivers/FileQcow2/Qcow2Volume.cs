using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>A volume of layered images.</summary>
/// <remarks>
/// <c>B.layers</c>                list of the committed states, see <see cref="LayerTree"/>
/// <c>B.N.img</c>, <c>B.N.qcow2</c>  their images: raw beneath, overlays above
/// <c>B-dirty.qcow2</c>           working copy of origins and snapshots, an overlay; <c>B-dirty.img</c> of volatile volumes, raw
/// <c>B-base</c>                  of a snapshot: hard link to the source's layer it lies on. As long as a layer has a second name
///                             some qube uses it, and neither it nor what is beneath it is written to.
/// <c>B-import.img</c>            import target, raw
/// <c>…~RANDOM</c>                being made
/// At stop the working copy becomes the newest layer. Layers nobody needs any more are merged with what lies on them, see <see cref="LayerMerger"/>.
/// </remarks>
internal sealed partial class Qcow2Volume(Qcow2Pool pool, VolumeConfig config) : FileVolume(pool, config)
{
    public const string LayersSuffix = ".layers";

    private readonly Qcow2Pool _pool = pool;

    protected override string Dirty => Base + DirtyMark + (Kind == VolumeKind.Volatile ? "img" : "qcow2");

    private string Pin => Base + PinSuffix;

    private LayerFiles Layers => new(Root, Base);

    private LayerFiles SourceLayers => new(Root, Config.Source!);

    public override BlockDevice? BlockDevice => new(
        Name, Root.PathOf(Dirty), Kind == VolumeKind.Volatile ? DiskFormat.Raw : DiskFormat.Qcow2, IsFile: true, Config.Rw);

    private protected override Task CreateCoreAsync(CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        EnsureQubeDirectory();
        if (Kind == VolumeKind.Origin)
        {
            if (Layers.Exists)
            {
                throw QubesErrors.StoragePool($"Volume {Vid} already exists");
            }

            Layer first = new(1, 1, DiskFormat.Raw, Parent: 0, RoundUp(Config.Size), Now(), IsRevision: false);
            string made = Temporary(Layers.PathOf(first));
            using LayerChange change = new(Place.Intents, Layers, "create", Vid, made);
            CreateSparse(made, first.Size);
            FaultPoint.Hit("storage-create-built");
            change.Carry(new LayerTree(1, [first]), IntentStep.Rename(made, Layers.PathOf(first)));
        }

        return Task.CompletedTask;
    }

    private protected override async Task StartCoreAsync(CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        EnsureQubeDirectory();
        RemoveLeftovers(alsoImport: true);
        switch (Kind)
        {
            case VolumeKind.Origin:
                StartOrigin();
                break;
            case VolumeKind.Snapshot:
                await StartSnapshotAsync(cancellationToken);
                break;
            default:
                Root.Remove(Dirty);
                CreateSparse(Dirty, Config.Size);
                break;
        }

        FaultPoint.Hit("storage-started");
    }

    private protected override async Task StopCoreAsync(CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        RemoveLeftovers(alsoImport: false);
        if (Kind == VolumeKind.Volatile)
        {
            Root.Remove(Dirty);
        }
        else if (Kind == VolumeKind.Snapshot)
        {
            // The pin last: while the working copy is there, its layer is.
            Root.Remove(Dirty);
            Root.Remove(Pin);
        }
        else if (Root.Exists(Dirty))
        {
            CommitWorkingCopy();
            await Merger.RunAsync(RevisionsToKeep, cancellationToken);
        }

        FaultPoint.Hit("storage-stopped");
    }

    private protected override Task VerifyCoreAsync(CancellationToken cancellationToken)
    {
        LayerFiles? needed = Kind switch
        {
            VolumeKind.Origin => Layers,
            VolumeKind.Snapshot => SourceLayers,
            _ => null,
        };
        if (needed is { } files && (!files.Exists || files.Read().Layers.Any(layer => !Root.Exists(files.PathOf(layer)))))
        {
            throw QubesErrors.StoragePool($"Missing image file for volume {Vid}");
        }

        return Task.CompletedTask;
    }

    private protected override async Task<ResizeOutcome> ResizeCoreAsync(long size, CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        if (!Config.Rw)
        {
            throw NotSupported("Resize");
        }

        if (Root.Exists(Dirty))
        {
            return ResizeOutcome.HypervisorMustResize;
        }

        if (Kind == VolumeKind.Origin)
        {
            // A layer of its own that holds nothing but the size; it is merged downwards unless somebody uses the one beneath.
            PushOverlay("resize", Layers.Read().Head, RoundUp(size), keepFormerHead: false);
            await Merger.RunAsync(RevisionsToKeep, cancellationToken);
        }

        return ResizeOutcome.Done;
    }

    private protected override Task<VolumeExport> ExportCoreAsync(CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        if (Kind != VolumeKind.Origin)
        {
            throw NotSupported("Export");
        }

        Layer head = Layers.Read().Head;
        // The second name keeps merges from writing to the layer and to those beneath.
        string pin = NewExportName();
        Root.Link(Layers.PathOf(head), pin);
        if (head.Format == DiskFormat.Raw)
        {
            return Task.FromResult(new VolumeExport(Root.PathOf(pin), () => EndExportAsync(pin)));
        }

        string export = NewExportName();
        return Task.FromResult(new VolumeExport(
            Root.PathOf(export),
            () => EndExportAsync(pin, export),
            token => _pool.QemuImage.ConvertToRawAsync(Root.PathOf(Layers.PathOf(head)), Root.PathOf(export), token)));
    }

    private protected override Task<string> ImportBeginCoreAsync(long size, CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        CheckImport();
        Root.Remove(Import);
        CreateImport(size);
        return Task.FromResult(Root.PathOf(Import));
    }

    private protected override async Task ImportEndCoreAsync(bool success, CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        if (!success)
        {
            Root.Remove(Import);
            return;
        }

        CheckImport();
        if (!Root.Exists(Import))
        {
            throw QubesErrors.StoragePool($"No import operation in progress on {Vid}");
        }

        CloseImport();
        using (LayerChange change = new(Place.Intents, Layers, "import", Vid))
        {
            CommitRaw(change, Import);
        }

        await Merger.RunAsync(RevisionsToKeep, cancellationToken);
    }

    private protected override async Task ImportFileCoreAsync(string rawPath, Volume source, CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        CheckImport();
        string made = Temporary(Import);
        using (LayerChange change = new(Place.Intents, Layers, "import", Vid, made))
        {
            using (SafeFileHandle content = File.OpenHandle(rawPath))
            {
                Copy(content, Root, made, size: null, keepTime: null, isDurable: true, cancellationToken);
            }

            FaultPoint.Hit("storage-import-built");
            CommitRaw(change, made);
        }

        await Merger.RunAsync(RevisionsToKeep, cancellationToken);
    }

    private protected override Task<IReadOnlyList<VolumeRevision>> ListRevisionsCoreAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<VolumeRevision>>(Kind != VolumeKind.Origin || !Layers.Exists
            ? []
            : [.. Layers.Read().Revisions.Select(layer => new VolumeRevision(
                layer.Id.ToString(CultureInfo.InvariantCulture), DateTimeOffset.UnixEpoch.AddTicks(layer.Committed / TimeSpan.NanosecondsPerTick)))]);

    private protected override async Task RevertCoreAsync(string? revision, CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        if (Kind != VolumeKind.Origin)
        {
            throw NotSupported("Revert");
        }

        if (Root.Exists(Dirty))
        {
            throw QubesErrors.StoragePool($"Cannot revert: {Vid} is not cleanly stopped");
        }

        LayerTree tree = Layers.Read();
        Layer chosen = (revision is null
            ? tree.Revisions.LastOrDefault()
            : tree.Revisions.FirstOrDefault(layer => layer.Id.ToString(CultureInfo.InvariantCulture) == revision))
            ?? throw QubesErrors.StoragePool($"Volume {Vid} has no such revision");

        // As file-reflink: the chosen revision leaves the list and what was the content joins it.
        PushOverlay("revert", chosen, chosen.Size, keepFormerHead: RevisionsToKeep > 0, hide: chosen);
        await Merger.RunAsync(revisionsToKeep: null, cancellationToken);
    }

    private protected override VolumeStatus ReadStatus()
    {
        string path = Root.PathOf(Dirty);
        EntryStatus? dirty = Root.Find(Dirty);
        if (Kind == VolumeKind.Volatile)
        {
            return new VolumeStatus(dirty?.Size ?? Config.Size, dirty?.AllocatedSize ?? 0, path, IsDirty: false, IsOutdated: null);
        }

        long size = dirty is null ? Config.Size : WorkingCopySize();
        long usage = dirty?.AllocatedSize ?? 0;
        if (Kind == VolumeKind.Snapshot)
        {
            bool outdated = Root.Find(Pin) is { } pin && SourceLayers.Exists
                && Root.Find(SourceLayers.PathOf(SourceLayers.Read().Head)) is { } head && !pin.IsSameFileAs(head);
            return new VolumeStatus(size, usage, path, IsDirty: false, outdated);
        }

        if (Layers.Exists)
        {
            LayerTree tree = Layers.Read();
            size = dirty is null ? tree.Head.Size : size;
            usage += tree.Layers.Sum(layer => Root.Find(Layers.PathOf(layer))?.AllocatedSize ?? 0);
        }

        return new VolumeStatus(size, usage, path, dirty is not null, IsOutdated: null);
    }

    private protected override bool IsCommittedState(string path) => path == Base + LayersSuffix;

    private LayerMerger Merger => new(Root, Place.Intents, Layers, Vid, _pool.QemuImage);

    private static long RoundUp(long size) => (size + 511) & ~511L;

    private long Now() => (Place.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    private long WorkingCopySize()
    {
        try
        {
            return Qcow2File.ReadHeader(Root, Dirty).Size;
        }
        catch (FormatException)
        {
            // Damaged, or made so by the hypervisor process it was given to: that is found at stop, a look is no reason to fail.
            return Config.Size;
        }
    }

    private void StartOrigin()
    {
        if (!Layers.Exists)
        {
            throw QubesErrors.StoragePool($"Missing image file for volume {Vid}");
        }

        if (Root.Exists(Dirty))
        {
            CheckWorkingCopy();
            return;
        }

        Layer head = Layers.Read().Head;
        string made = Temporary(Dirty);
        Qcow2File.CreateEmpty(Root, made, Layers.OverlayHeader(head, head.Size), isDurable: true);
        FaultPoint.Hit("storage-start-built");
        Root.Rename(made, Dirty);
    }

    // Whatever of it a crash loses is dropped at the next start anyway, so nothing is synced.
    private async Task StartSnapshotAsync(CancellationToken cancellationToken)
    {
        Root.Remove(Dirty);
        Root.Remove(Pin);
        // A source is an origin and takes no other volume's lock, so this order cannot dead-lock.
        using KeyedAsyncLocks<string>.Holder held = await Pool.Locks.AcquireAsync(Config.Source!, cancellationToken);
        if (!SourceLayers.Exists)
        {
            throw QubesErrors.VM($"Volume {Config.Source} is missing");
        }

        Layer layer = SourceLayers.Read().Head;
        Root.Link(SourceLayers.PathOf(layer), Pin);
        FaultPoint.Hit("storage-start-linked");
        Qcow2Header overlay = new(layer.Size, "../../" + SourceLayers.PathOf(layer), layer.Format);
        Qcow2File.CreateEmpty(Root, Dirty, overlay, isDurable: false);
    }
}
