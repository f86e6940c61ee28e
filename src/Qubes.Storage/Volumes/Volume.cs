using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>
/// A handle on one volume: pool, configuration, and the operations on its data. Cheap; made from the configuration whenever needed.
/// Operations run off the caller's thread, one at a time per volume (by pool and vid, over all handles), and each either happens
/// as a whole or not at all, also across a crash. Thread-safe.
/// </summary>
public abstract class Volume
{
    private protected Volume(Pool pool, VolumeConfig config)
    {
        Pool = pool;
        Config = config;
        if (config.SnapOnStart && config.Source is null)
        {
            throw QubesErrors.StoragePool($"snap_on_start specified on '{config.Name}' but no volume source set");
        }

        if (!config.SnapOnStart && config.Source is not null)
        {
            throw QubesErrors.StoragePool($"source specified on '{config.Name}' but no snap_on_start set");
        }
    }

    public Pool Pool { get; }

    /// <summary>Complete: pool, vid and revisions are filled in.</summary>
    public VolumeConfig Config { get; }

    public string Name => Config.Name;

    public string Vid => Config.Vid ?? "";

    public VolumeKind Kind => Config.SaveOnStop ? VolumeKind.Origin : Config.SnapOnStart ? VolumeKind.Snapshot : VolumeKind.Volatile;

    /// <summary>-1 snapshots disabled, 0 none kept, n older states kept.</summary>
    public int RevisionsToKeep => Config.RevisionsToKeep ?? (Kind == VolumeKind.Origin ? Pool.RevisionsToKeep : 0);

    /// <summary>Used in place while the qube runs: no export, clone or dependent snapshot meanwhile.</summary>
    public bool SnapshotsDisabled => RevisionsToKeep == -1 && Kind == VolumeKind.Origin;

    /// <summary>To be encrypted with a key nobody keeps.</summary>
    public bool IsEphemeral => Config.Ephemeral ?? (Kind == VolumeKind.Volatile && Config.Rw && Pool.EphemeralVolatile);

    /// <summary>Makes an origin's first, empty state. Other kinds have nothing on disk before a start.</summary>
    public Task CreateAsync(CancellationToken cancellationToken = default) => LockedAsync(CreateCoreAsync, cancellationToken);

    /// <summary>Removes data, revisions and leftovers. Nothing there is fine.</summary>
    public Task RemoveAsync(CancellationToken cancellationToken = default) => LockedAsync(RemoveCoreAsync, cancellationToken);

    /// <summary>Prepares for a run of the qube. After a crash an origin's uncommitted changes are taken up again.</summary>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (IsEphemeral && !Pool.Driver.Capabilities.HasFlag(PoolCapabilities.Ephemeral))
        {
            throw QubesErrors.StoragePool($"Volume {Vid} is ephemeral, which the pool driver {Pool.Driver.Name} does not support");
        }

        return LockedAsync(StartCoreAsync, cancellationToken);
    }

    /// <summary>Commits or drops what the run has changed. Not started is fine.</summary>
    public Task StopAsync(CancellationToken cancellationToken = default) => LockedAsync(StopCoreAsync, cancellationToken);

    /// <exception cref="QubesException">Something a start needs is missing.</exception>
    public Task VerifyAsync(CancellationToken cancellationToken = default) => LockedAsync(VerifyCoreAsync, cancellationToken);

    /// <summary>Sets the size in bytes. The caller also puts it into the configuration.</summary>
    public Task<ResizeOutcome> ResizeAsync(long size, CancellationToken cancellationToken = default) =>
        LockedAsync(token => ResizeCoreAsync(CheckedSize(size), token), cancellationToken);

    /// <summary>The last committed state (while the qube runs: that before its start), to be read by other programs.</summary>
    public async Task<VolumeExport> ExportAsync(CancellationToken cancellationToken = default)
    {
        VolumeExport export = await LockedAsync(ExportCoreAsync, cancellationToken);
        try
        {
            await export.FillAsync(cancellationToken);
            return export;
        }
        catch
        {
            await export.DisposeAsync();
            throw;
        }
    }

    /// <summary>Begins to replace the content: gives a path of an all-zero file of <paramref name="size"/> bytes to write raw data to.</summary>
    public Task<string> ImportBeginAsync(long size, CancellationToken cancellationToken = default) =>
        LockedAsync(token => ImportBeginCoreAsync(CheckedSize(size), token), cancellationToken);

    /// <summary>Makes what was written the new content, the old one a revision; or drops it.</summary>
    public Task ImportEndAsync(bool success, CancellationToken cancellationToken = default) =>
        LockedAsync(token => ImportEndCoreAsync(success, token), cancellationToken);

    /// <summary>Replaces the content by that of another volume, of any pool. No-op for what keeps no content.</summary>
    public virtual async Task ImportVolumeAsync(Volume source, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (Kind != VolumeKind.Origin)
        {
            return;
        }

        // The export is stable by itself, so the two locks are never held together.
        await using VolumeExport export = await source.ExportAsync(cancellationToken);
        await LockedAsync(token => ImportFileCoreAsync(export.Path, source, token), cancellationToken);
    }

    /// <summary>Kept former states, oldest first.</summary>
    public Task<IReadOnlyList<VolumeRevision>> ListRevisionsAsync(CancellationToken cancellationToken = default) =>
        LockedAsync(ListRevisionsCoreAsync, cancellationToken);

    /// <summary>Goes back to a former state; null is the newest one.</summary>
    public Task RevertAsync(string? revision, CancellationToken cancellationToken = default) =>
        LockedAsync(token => RevertCoreAsync(revision, token), cancellationToken);

    /// <summary>Looks at the disk. Not locked: what it tells may be overtaken at once.</summary>
    public Task<VolumeStatus> GetStatusAsync(CancellationToken cancellationToken = default) => Task.Run(
        async () =>
        {
            for (int attempt = 1; ; attempt++)
            {
                try
                {
                    return await ReadStatusAsync();
                }
                catch (LinuxException e) when (e.Errno == Errno.ENOENT && attempt < 5)
                {
                    // A file was renamed between two looks.
                }
            }
        },
        cancellationToken);

    /// <summary>What to give the hypervisor, valid once started; null when there is nothing to give.</summary>
    public abstract BlockDevice? BlockDevice { get; }

    public override string ToString() => $"{Pool.Name}:{Vid}";

    private protected abstract Task CreateCoreAsync(CancellationToken cancellationToken);

    private protected abstract Task RemoveCoreAsync(CancellationToken cancellationToken);

    private protected abstract Task StartCoreAsync(CancellationToken cancellationToken);

    private protected abstract Task StopCoreAsync(CancellationToken cancellationToken);

    private protected abstract Task VerifyCoreAsync(CancellationToken cancellationToken);

    private protected abstract Task<ResizeOutcome> ResizeCoreAsync(long size, CancellationToken cancellationToken);

    private protected abstract Task<VolumeExport> ExportCoreAsync(CancellationToken cancellationToken);

    private protected abstract Task<string> ImportBeginCoreAsync(long size, CancellationToken cancellationToken);

    private protected abstract Task ImportEndCoreAsync(bool success, CancellationToken cancellationToken);

    private protected abstract Task ImportFileCoreAsync(string rawPath, Volume source, CancellationToken cancellationToken);

    private protected abstract Task<IReadOnlyList<VolumeRevision>> ListRevisionsCoreAsync(CancellationToken cancellationToken);

    private protected abstract Task RevertCoreAsync(string? revision, CancellationToken cancellationToken);

    private protected abstract Task<VolumeStatus> ReadStatusAsync();

    private protected QubesException NotSupported(string what) =>
        QubesErrors.StoragePool($"{what} is not possible for volume {Vid} ({Pool.Driver.Name})");

    private static long CheckedSize(long size) => size is >= 0 and <= VolumePlan.MaxSize
        ? size
        : throw QubesErrors.Value($"Volume size must be between 0 and {VolumePlan.MaxSize}");

    private Task<bool> LockedAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken) => LockedAsync<bool>(
        async token =>
        {
            await work(token);
            return true;
        },
        cancellationToken);

    // Task.Run: drivers block on the disk, and the caller may be the model loop.
    private protected Task<T> LockedAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken) => Task.Run(
        async () =>
        {
            using KeyedAsyncLocks<string>.Holder held = await Pool.Locks.AcquireAsync(Vid, cancellationToken);
            try
            {
                return await work(cancellationToken);
            }
            catch (IOException e)
            {
                // Paths of the host are the administrator's business; they are in the inner exception, for the log.
                string reason = System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage((e as LinuxException)?.Errno ?? e.HResult);
                throw new QubesException(QubesErrorNames.StoragePool, $"Volume {Vid}: {reason}", e);
            }
        },
        cancellationToken);
}
