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

    private readonly QubeDataIntents _intents = new(context.Storage);

    // What one qube leaves on disk is gone before another of the same name puts anything there.
    private readonly KeyedAsyncLocks<string> _names = new(StringComparer.Ordinal);

    // By directory: how what could not be deleted of a removed qube is deleted after all.
    private readonly Dictionary<string, Func<Task>> _undeleted = new(StringComparer.Ordinal);

    /// <summary>For daemon start: removes data of qubes whose creation or removal a crash has cut short.</summary>
    internal async Task RecoverAsync()
    {
        int found = await _intents.RecoverAsync(IsInStore);
        if (found > 0)
        {
            context.Log.LogWarning("{Count} interrupted creations or removals of qubes were finished or undone", found);
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

        if (_undeleted.TryGetValue(qube.DirectoryName, out Func<Task>? delete))
        {
            await delete();
            _undeleted.Remove(qube.DirectoryName);
        }

        QubeDataIntent intent = await _intents.AnnounceAsync(qube.DirectoryName, volumes);
        await using Rollback rollback = new(context.Log);
        rollback.Push("announcement", async () => await intent.CloseAsync());
        string directory = context.DirectoryOf(qube);
        bool isNew = await Task.Run(() => MakeDirectory(directory));
        if (isNew)
        {
            rollback.Push("directory", async () => await Task.Run(() => RemoveDirectory(directory)));
        }

        FaultPoint.Hit("create-directory-made");
        QubeStorage storage = context.Storage.ForQube(volumes);
        await storage.CreateAsync();
        rollback.Push("volumes", async () => await storage.RemoveAsync());
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
        await context.StorageOf(qube).RemoveAsync();
        await Task.Run(() => RemoveDirectory(context.DirectoryOf(qube)));
        if (intent is not null)
        {
            await intent.CloseAsync();
        }
    }

    /// <summary>
    /// Checks, drops the qube from model and store, then deletes its data. Waits for a start under way. Once the store is without
    /// the qube the removal has succeeded: what cannot be deleted is logged, and tried again when a qube of that name is made and at the
    /// next daemon start.
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
            await DeleteAsync();
        }
        catch (Exception failure)
        {
            context.Log.LogError(failure, "Not all data of the removed qube {Qube} could be deleted", qube.Name);
            _undeleted[qube.DirectoryName] = DeleteAsync;
        }

        async Task DeleteAsync()
        {
            await context.Storage.ForQube(volumes).RemoveAsync();
            FaultPoint.Hit("remove-volumes-deleted");
            await Task.Run(() => RemoveDirectory(context.DirectoryOf(qube)));
            FaultPoint.Hit("remove-directory-deleted");
            await intent.CloseAsync();
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
