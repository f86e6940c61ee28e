using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>A volume of raw files.</summary>
/// <remarks>
/// <c>B.img</c>            last committed state; for a snapshot a hard link to the source's at the time of the start
/// <c>B-dirty.img</c>      working copy, given to the qube
/// <c>B-precache.img</c>   ready-made copy of B.img with its modification time, becomes the next working copy
/// <c>B-import.img</c>     import target
/// <c>B.img.N@TIMEZ</c>    revision N
/// <c>…~RANDOM</c>         being made
/// A committed state is never written to, so a hard link is as good as a copy of it. Only with snapshots disabled is B.img renamed to
/// the working copy and back.
/// </remarks>
internal sealed partial class ReflinkVolume(ReflinkPool pool, VolumeConfig config) : FileVolume(pool, config)
{
    private string Clean => Base + ".img";

    protected override string Dirty => Base + DirtyMark + "img";

    private string Precache => Base + "-precache.img";

    private string SourceClean => Config.Source + ".img";

    public override BlockDevice? BlockDevice => new(Name, Root.PathOf(Dirty), DiskFormat.Raw, IsFile: true, Config.Rw);

    private protected override Task CreateCoreAsync(CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        EnsureQubeDirectory();
        if (Kind == VolumeKind.Origin)
        {
            if (Root.Exists(Clean) || Root.Exists(Dirty))
            {
                throw QubesErrors.StoragePool($"Volume {Vid} already exists");
            }

            string made = Temporary(Clean);
            using Intent intent = Place.Intents.Begin("create", Vid, made);
            CreateSparse(made, Config.Size);
            FaultPoint.Hit("storage-create-built");
            intent.Carry([IntentStep.Rename(made, Clean)]);
        }

        return Task.CompletedTask;
    }

    private protected override Task StartCoreAsync(CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        EnsureQubeDirectory();
        RemoveLeftovers(alsoImport: true);
        switch (Kind)
        {
            case VolumeKind.Origin:
                StartOrigin(cancellationToken);
                break;
            case VolumeKind.Snapshot:
                StartSnapshot(cancellationToken);
                break;
            default:
                Root.Remove(Dirty);
                CreateSparse(Dirty, Config.Size);
                break;
        }

        FaultPoint.Hit("storage-started");
        return Task.CompletedTask;
    }

    private protected override Task StopCoreAsync(CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        RemoveLeftovers(alsoImport: false);
        if (Kind != VolumeKind.Origin)
        {
            // Nothing of a run is kept, so it may go in any order.
            Root.Remove(Dirty);
            Root.Remove(Clean);
        }
        else if (Root.Find(Dirty) is { } dirty)
        {
            if (SnapshotsDisabled)
            {
                Root.Rename(Dirty, Clean);
            }
            else if (Root.Find(Clean) is { } clean && IsUnchangedCopy(dirty, clean))
            {
                // Nothing was written: no revision, and the copy serves the next start.
                Root.Rename(Dirty, Precache);
            }
            else
            {
                Commit("commit", Dirty);
                MakePrecache(cancellationToken);
            }
        }

        FaultPoint.Hit("storage-stopped");
        return Task.CompletedTask;
    }

    private protected override Task VerifyCoreAsync(CancellationToken cancellationToken)
    {
        string? needed = Kind switch
        {
            VolumeKind.Origin => Clean,
            VolumeKind.Snapshot => SourceClean,
            _ => null,
        };
        // After a crash with snapshots disabled only the working copy is there.
        return needed is null || Root.Exists(needed) || (SnapshotsDisabled && Root.Exists(Dirty))
            ? Task.CompletedTask
            : throw QubesErrors.StoragePool($"Missing image file for volume {Vid}");
    }

    private protected override Task<ResizeOutcome> ResizeCoreAsync(long size, CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        if (!Config.Rw)
        {
            throw NotSupported("Resize");
        }

        if (Root.Exists(Dirty))
        {
            using SafeFileHandle file = Root.OpenWrite(Dirty);
            FileContent.SetLength(file, size);
            FileContent.Sync(file);
            return Task.FromResult(ResizeOutcome.HypervisorMustResize);
        }

        if (Kind == VolumeKind.Origin)
        {
            using SafeFileHandle clean = Root.OpenRead(Clean);
            string made = Temporary(Clean);
            using (Intent intent = Place.Intents.Begin("resize", Vid, made))
            {
                Copy(clean, Root, made, size, keepTime: null, isDurable: true, cancellationToken);
                FaultPoint.Hit("storage-resize-built");
                intent.Carry([IntentStep.Remove(Precache), IntentStep.Rename(made, Clean)]);
            }

            MakePrecache(cancellationToken);
        }

        return Task.FromResult(ResizeOutcome.Done);
    }

    private protected override Task<VolumeExport> ExportCoreAsync(CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        if (Kind != VolumeKind.Origin)
        {
            throw NotSupported("Export");
        }

        if (!Root.Exists(Clean))
        {
            throw QubesErrors.StoragePool($"Volume {Vid} is in use");
        }

        string export = NewExportName();
        if (SnapshotsDisabled)
        {
            // The next start writes into the committed state itself.
            using SafeFileHandle clean = Root.OpenRead(Clean);
            Copy(clean, Root, export, size: null, keepTime: null, isDurable: false, cancellationToken);
        }
        else
        {
            Root.Link(Clean, export);
        }

        return Task.FromResult(new VolumeExport(Root.PathOf(export), () => EndExportAsync(export)));
    }

    private protected override Task<string> ImportBeginCoreAsync(long size, CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        CheckImport();
        Root.Remove(Import);
        CreateImport(size);
        return Task.FromResult(Root.PathOf(Import));
    }

    private protected override Task ImportEndCoreAsync(bool success, CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        if (!success)
        {
            Root.Remove(Import);
            return Task.CompletedTask;
        }

        CheckImport();
        if (!Root.Exists(Import))
        {
            throw QubesErrors.StoragePool($"No import operation in progress on {Vid}");
        }

        CloseImport();
        Commit("import", Import);
        MakePrecache(cancellationToken);
        return Task.CompletedTask;
    }

    private protected override Task ImportFileCoreAsync(string rawPath, Volume source, CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        CheckImport();
        string made = Temporary(Import);
        using (Intent intent = Place.Intents.Begin("import", Vid, made))
        {
            using (SafeFileHandle content = File.OpenHandle(rawPath))
            {
                Copy(content, Root, made, size: null, keepTime: null, isDurable: true, cancellationToken);
            }

            FaultPoint.Hit("storage-import-built");
            intent.Carry(CommitSteps(made));
        }

        MakePrecache(cancellationToken);
        return Task.CompletedTask;
    }

    private protected override Task<IReadOnlyList<VolumeRevision>> ListRevisionsCoreAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<VolumeRevision>>([.. Revisions().Select(revision =>
            new VolumeRevision(revision.Number.ToString(CultureInfo.InvariantCulture), revision.Time))]);

    private protected override Task RevertCoreAsync(string? revision, CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        if (Root.Exists(Dirty))
        {
            throw QubesErrors.StoragePool($"Cannot revert: {Vid} is not cleanly stopped");
        }

        IReadOnlyList<ReflinkRevision> revisions = Revisions();
        ReflinkRevision chosen = revisions.LastOrDefault(r => revision is null || r.Number.ToString(CultureInfo.InvariantCulture) == revision)
            ?? throw QubesErrors.StoragePool($"Volume {Vid} has no such revision");
        using (Intent intent = Place.Intents.Begin("revert", Vid))
        {
            intent.Carry(
            [
                .. RevisionsToKeep <= 0 ? [] : (IntentStep[])[IntentStep.Link(Clean, NextRevision(revisions))],
                IntentStep.Remove(Precache),
                IntentStep.Rename($"{QubeDirectory}/{chosen.FileName}", Clean),
            ]);
        }

        MakePrecache(cancellationToken);
        return Task.CompletedTask;
    }

    private protected override VolumeStatus ReadStatus()
    {
        EntryStatus? dirty = Root.Find(Dirty);
        EntryStatus? clean = Root.Find(Clean);
        EntryStatus? data = dirty ?? clean;
        bool? isOutdated = null;
        if (Kind == VolumeKind.Snapshot)
        {
            isOutdated = clean is { } own && Root.Find(SourceClean) is { } source && !own.IsSameFileAs(source);
        }

        return new VolumeStatus(
            data?.Size ?? Config.Size, data?.AllocatedSize ?? 0, Root.PathOf(Dirty), Kind == VolumeKind.Origin && dirty is not null, isOutdated);
    }

    private protected override bool IsCommittedState(string path) => path == Clean;

    private static bool IsUnchangedCopy(EntryStatus copy, EntryStatus original) =>
        copy.ModifiedNanoseconds == original.ModifiedNanoseconds && copy.Size == original.Size;

    private void StartOrigin(CancellationToken cancellationToken)
    {
        bool isDirty = Root.Exists(Dirty);
        if (SnapshotsDisabled)
        {
            foreach (ReflinkRevision revision in Revisions())
            {
                Root.Remove($"{QubeDirectory}/{revision.FileName}");
            }

            Root.Remove(Precache);
            if (!isDirty)
            {
                Root.Rename(Clean, Dirty);
            }
        }
        else if (!isDirty)
        {
            EntryStatus clean = Root.Find(Clean) ?? throw QubesErrors.StoragePool($"Missing image file for volume {Vid}");
            if (Root.Find(Precache) is { } precache && IsUnchangedCopy(precache, clean))
            {
                Root.Rename(Precache, Dirty);
                return;
            }

            Root.Remove(Precache);
            using SafeFileHandle source = Root.OpenRead(Clean);
            string made = Temporary(Dirty);
            Copy(source, Root, made, size: null, clean.ModifiedNanoseconds, isDurable: true, cancellationToken);
            FaultPoint.Hit("storage-start-built");
            Root.Rename(made, Dirty);
        }
    }

    // Whatever of it a crash loses is dropped at the next start anyway, so nothing is synced.
    private void StartSnapshot(CancellationToken cancellationToken)
    {
        Root.Remove(Dirty);
        Root.Remove(Clean);
        if (!Root.Exists(SourceClean))
        {
            throw QubesErrors.VM($"Volume {Config.Source} is missing or running without snapshots");
        }

        Root.Link(SourceClean, Clean);
        FaultPoint.Hit("storage-start-linked");
        using SafeFileHandle source = Root.OpenRead(Clean);
        Copy(source, Root, Dirty, size: null, keepTime: null, isDurable: false, cancellationToken);
    }
}
