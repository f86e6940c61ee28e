using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Lifecycle.Volumes;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Storage;

namespace Qubes.Lifecycle.Operations;

/// <summary>Makes and removes what a qube has on disk, in step with the store.</summary>
internal sealed class QubeCreator(LifecycleContext context)
{
    private const UnixFileMode DirectoryMode = (UnixFileMode)0x1FD; // 0775

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(16);

    private readonly QubeDataIntents _intents = new(context.Storage, pool => context.App.Pools.TryGet(pool, out _));
    private int _retryTurn;

    // What one qube leaves on disk is gone before another of the same name puts anything there.
    private readonly KeyedAsyncLocks<string> _names = new(StringComparer.Ordinal);

    /// <summary>For daemon start: removes data of qubes whose creation or removal a crash has cut short.</summary>
    internal async Task RecoverAsync()
    {
        int found = await _intents.RecoverAsync(IsInStore);
        if (found > 0)
        {
            context.Log.LogWarning("{Count} interrupted creations or removals of qubes were found", found);
        }

        if (_intents.HasPostponed)
        {
            _ = RetrySoonAsync();
        }
    }

    /// <summary>A driver has come: what could not be removed without it.</summary>
    internal async Task RetryRemovalsAsync()
    {
        if (await _intents.RetryAsync(IsInStore))
        {
            _ = RetrySoonAsync();
        }
    }

    /// <summary>What is left is removed later: a driver that was gone may be there again.</summary>
    private async Task PostponeAsync(QubeDataIntent intent, IEnumerable<VolumeConfig> left)
    {
        await QubeDataIntents.NarrowAsync(intent, left);
        Postpone(intent);
    }

    private void Postpone(QubeDataIntent intent)
    {
        _intents.Postpone(intent);
        _ = RetrySoonAsync();
    }

    private async Task RetrySoonAsync()
    {
        // Only the last one goes on; it begins with short pauses again.
        int turn = ++_retryTurn;
        try
        {
            for (TimeSpan pause = FirstRetry; pause <= LastRetry; pause *= 2)
            {
                await Task.Delay(pause, context.Time);
                if (turn != _retryTurn || !await _intents.RetryAsync(IsInStore))
                {
                    return;
                }
            }
        }
        catch (Exception failure)
        {
            context.Log.LogError(failure, "Data of qubes that do not exist could not be removed");
        }
    }

    /// <summary>
    /// Makes the directory and volumes of a qube just added to the model, inside the change that is open. Waits until nothing is left
    /// of an earlier qube of that name; whoever wants to start or remove this one waits until its data is complete.
    /// </summary>
    internal async Task CreateAsync(QubesVM qube, string? pool, IReadOnlyDictionary<string, string> pools)
    {
        if (pool is not null && pools.Count > 0)
        {
            throw QubesErrors.General("Only one of 'pool' and 'pools' can be given");
        }

        using AsyncLock.Holder held = await context.ControlOf(qube).StartLock.AcquireAsync();
        using KeyedAsyncLocks<string>.Holder name = await _names.AcquireAsync(qube.Name);
        if (!qube.IsInCollection)
        {
            throw QubesErrors.VMNotFound(qube.Name);
        }

        IReadOnlyList<VolumeConfig> volumes =
            QubeVolumePlan.Complete(context, qube, VolumePlan.ChoosePools(qube.Volumes.All, pool, pools));
        foreach (VolumeConfig volume in volumes)
        {
            qube.Volumes.Set(volume);
        }

        await _intents.SettleAsync(qube.DirectoryName);
        QubeDataIntent intent = await _intents.AnnounceAsync(qube.DirectoryName, volumes);
        List<VolumeConfig> left = [];
        await using Rollback rollback = new(context.Log);
        rollback.Push("announcement", async () => await (left.Count == 0 ? intent.CloseAsync() : PostponeAsync(intent, left)));
        string directory = context.DirectoryOf(qube);
        bool isNew = await Task.Run(() => MakeDirectory(directory));
        if (isNew)
        {
            rollback.Push("directory", async () => await Task.Run(() => RemoveDirectory(directory)));
        }

        FaultPoint.Hit("create-directory-made");
        QubeStorage storage = context.Storage.ForQube(volumes);
        await storage.CreateAsync(left);
        rollback.Push("volumes", async () => await RemoveAsync(storage, left));
        FaultPoint.Hit("create-volumes-made");
        await qube.FireAsync("domain-create-on-disk");
        FaultPoint.Hit("create-done");
        rollback.Commit();
        context.ControlOf(qube).Creation = intent;
    }

    /// <summary>The store has the qube.</summary>
    internal async Task ConfirmAsync(QubesVM qube)
    {
        if (TakeCreation(qube) is { } intent)
        {
            await intent.CloseAsync();
        }
    }

    /// <summary>Takes back <see cref="CreateAsync"/>.</summary>
    internal async Task DiscardAsync(QubesVM qube)
    {
        QubeDataIntent? intent = TakeCreation(qube);
        using KeyedAsyncLocks<string>.Holder name = await _names.AcquireAsync(qube.Name);
        List<VolumeConfig> left = [];
        await RemoveAsync(context.StorageOf(qube), left);
        await Task.Run(() => RemoveDirectory(context.DirectoryOf(qube)));
        if (intent is not null)
        {
            await (left.Count == 0 ? intent.CloseAsync() : PostponeAsync(intent, left));
        }
    }

    /// <summary>
    /// Checks, drops the qube from model and store, then deletes its data. Waits for a start under way. Once the store is without
    /// the qube the removal has succeeded: what cannot be deleted is logged, and tried again soon, when a qube of that name is made,
    /// and at the next daemon start.
    /// </summary>
    internal async Task RemoveAsync(QubesVM qube, Func<Task> dropAndCommit, bool isCheckedLast)
    {
        QubeControl control = context.ControlOf(qube);
        using AsyncLock.Holder held = await control.StartLock.AcquireAsync();
        if (!qube.IsInCollection)
        {
            throw QubesErrors.VMNotFound(qube.Name);
        }

        await StopHandler.SettleAsync(control);
        // A disposable may have the mark from its template; the package manager knows nothing of it.
        if (qube.InstalledByRpm && qube is not DispVM { AutoCleanup: true })
        {
            throw QubesErrors.VMInUse(qube.Name, $"VM installed by package manager: {qube.Name}");
        }

        QubeCollection.CheckHalted(qube);
        if (!isCheckedLast)
        {
            context.App.Domains.CheckRemovable(qube);
        }

        using KeyedAsyncLocks<string>.Holder name = await _names.AcquireAsync(qube.Name);
        IReadOnlyList<VolumeConfig> volumes = QubeVolumePlan.Complete(context, qube);
        QubeDataIntent intent = await _intents.AnnounceAsync(qube.DirectoryName, volumes);
        FaultPoint.Hit("remove-announced");
        try
        {
            await context.Hypervisor.ForgetAsync(DomainKey.Of(qube));
            FaultPoint.Hit("remove-undefined");
            if (!isCheckedLast)
            {
                // Something may refer to it by now.
                QubeDependencies.RefuseIfUsed(qube);
            }

            await dropAndCommit();
        }
        catch
        {
            await intent.CloseAsync();
            throw;
        }

        FaultPoint.Hit("remove-committed");
        await DeleteDataAsync(qube, volumes, intent);
    }

    private async Task DeleteDataAsync(QubesVM qube, IReadOnlyList<VolumeConfig> volumes, QubeDataIntent intent)
    {
        try
        {
            await qube.FireAsync("domain-remove-from-disk");
            await context.Storage.ForQube(volumes).RemoveAsync();
            FaultPoint.Hit("remove-volumes-deleted");
            await Task.Run(() => RemoveDirectory(context.DirectoryOf(qube)));
            FaultPoint.Hit("remove-directory-deleted");
            await intent.CloseAsync();
        }
        catch (Exception failure)
        {
            if (DriverGoneException.IsCauseOf(failure))
            {
                context.Log.LogWarning("The data of the removed qube {Qube} is deleted later: {Reason}", qube.Name, LogText.Escape(failure.Message));
            }
            else
            {
                context.Log.LogError(failure, "Not all data of the removed qube {Qube} could be deleted; it will be tried again", qube.Name);
            }

            Postpone(intent);
        }
    }

    /// <summary>Takes back a creation. What a driver that is gone would have to remove is noted.</summary>
    private static async Task RemoveAsync(QubeStorage storage, List<VolumeConfig> left)
    {
        try
        {
            await storage.RemoveAsync();
        }
        catch (QubesException e) when (DriverGoneException.IsCauseOf(e))
        {
            left.AddRange(storage.Volumes.Select(volume => volume.Config));
        }
    }

    private QubeDataIntent? TakeCreation(QubesVM qube)
    {
        QubeControl control = context.ControlOf(qube);
        QubeDataIntent? intent = control.Creation;
        control.Creation = null;
        return intent;
    }

    // An entry set aside as damaged keeps its name taken, and its data.
    private bool IsInStore(string qubeDirectory) => context.App.Domains.IsNameTaken(Path.GetFileName(qubeDirectory));

    private static bool MakeDirectory(string directory)
    {
        if (Directory.Exists(directory))
        {
            return false;
        }

        Directory.CreateDirectory(directory);
        File.SetUnixFileMode(directory, DirectoryMode);
        return true;
    }

    private static void RemoveDirectory(string directory)
    {
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
