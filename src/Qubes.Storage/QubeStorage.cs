using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>
/// All volumes of a qube, operated on together and concurrently: every operation waits for all of them, then reports the first
/// failure. Made from the configurations whenever needed; holds no state.
/// </summary>
public sealed class QubeStorage
{
    private readonly StorageService _service;
    private readonly RunningMarkers _markers;

    internal QubeStorage(StorageService service, IReadOnlyList<Volume> volumes)
    {
        _service = service;
        _markers = new RunningMarkers(service.Environment.Paths);
        Volumes = volumes;
    }

    public IReadOnlyList<Volume> Volumes { get; }

    /// <exception cref="QubesException">The qube has no such volume.</exception>
    public Volume this[string name] =>
        Volumes.FirstOrDefault(volume => volume.Name == name) ?? throw QubesErrors.StoragePool("No such volume");

    /// <summary>The disks to give to the hypervisor, in order; valid once started.</summary>
    public IReadOnlyList<BlockDevice> BlockDevices => [.. Volumes.Select(volume => volume.BlockDevice).OfType<BlockDevice>()];

    /// <summary>The kernel the qube boots from; null if it boots what is inside it.</summary>
    public KernelFiles? Kernel => Volumes.OfType<KernelVolume>().FirstOrDefault()?.Files;

    /// <summary>Makes all volumes; on failure none is left.</summary>
    /// <param name="left">Takes the volumes that are left nevertheless, or may be: their driver cannot be asked any more.</param>
    public async Task CreateAsync(ICollection<VolumeConfig>? left = null, CancellationToken cancellationToken = default)
    {
        List<Volume> created = [];
        try
        {
            await AllAsync(async volume =>
            {
                bool isMade = true;
                try
                {
                    await volume.CreateAsync(cancellationToken);
                }
                catch (Exception e) when (!DriverGoneException.LeavesOpen(e))
                {
                    isMade = false;
                    throw;
                }
                finally
                {
                    // One that perhaps was made, too.
                    if (isMade)
                    {
                        lock (created)
                        {
                            created.Add(volume);
                        }
                    }
                }
            });
        }
        catch
        {
            // Only what this call has made: a volume that was there already is why it failed, and is not ours.
            await Task.WhenAll(created.Select(volume => RemoveOrNoteAsync(volume, left)));
            throw;
        }
    }

    public Task VerifyAsync(CancellationToken cancellationToken = default) => AllAsync(volume => volume.VerifyAsync(cancellationToken));

    /// <summary>
    /// Prepares all volumes for a run. On failure those started are stopped again: nothing stays half started.
    /// </summary>
    /// <exception cref="QubesException">A source is in use in place, or a volume cannot be started.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        List<Volume> started = [];
        try
        {
            await AllAsync(async volume =>
            {
                await volume.StartAsync(cancellationToken);
                lock (started)
                {
                    started.Add(volume);
                }
            });
            _markers.Set(Volumes);
        }
        catch
        {
            await Task.WhenAll(started.Select(volume => volume.StopAsync(CancellationToken.None)));
            throw;
        }
    }

    /// <summary>Commits or drops what the run has changed. Each volume is tried, whatever becomes of the others.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        await AllAsync(volume => volume.StopAsync(cancellationToken));
        _markers.Clear(Volumes);
    }

    /// <summary>Removes all volumes with their revisions; the qube must not run.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken = default)
    {
        await AllAsync(volume => volume.RemoveAsync(cancellationToken));
        _markers.Clear(Volumes);
    }

    /// <summary>Whether the volumes were started and not stopped, by this daemon or an earlier one.</summary>
    public bool IsStarted => _markers.AnySet(Volumes);

    /// <summary>The volumes whose source has moved on since the qube started.</summary>
    public async Task<IReadOnlyList<Volume>> FindOutdatedAsync(CancellationToken cancellationToken = default)
    {
        VolumeStatus[] states = await Task.WhenAll(Volumes.Select(volume => volume.GetStatusAsync(cancellationToken)));
        return [.. Volumes.Where((_, i) => states[i].IsOutdated == true)];
    }

    /// <summary>Bytes all volumes take on disk.</summary>
    public async Task<long> GetUsageAsync(CancellationToken cancellationToken = default) =>
        (await Task.WhenAll(Volumes.Select(volume => volume.GetStatusAsync(cancellationToken)))).Sum(state => state.Usage);

    /// <summary>A volume's configuration with another number of revisions to keep.</summary>
    /// <param name="isInUse">The qube, or a disposable made from it, runs.</param>
    /// <exception cref="QubesException">Below -1; or switching to or from -1 while in use.</exception>
    public VolumeConfig WithRevisionsToKeep(string name, int value, bool isInUse)
    {
        Volume volume = this[name];
        if (value < -1)
        {
            throw QubesErrors.Value("Invalid value for revisions_to_keep");
        }

        if (isInUse && value != volume.RevisionsToKeep && (value == -1 || volume.RevisionsToKeep == -1))
        {
            throw new QubesException(QubesErrorNames.VMNotHalted, "Cannot enable or disable snapshots while the qube is running");
        }

        VolumeConfig changed = volume.Config with { RevisionsToKeep = value };
        _ = _service.Open(changed);
        return changed;
    }

    /// <summary>A volume's configuration with the ephemeral flag set or cleared.</summary>
    /// <exception cref="QubesException">It keeps data, or cannot be written.</exception>
    public VolumeConfig WithEphemeral(string name, bool value)
    {
        Volume volume = this[name];
        if (value && (volume.Kind != VolumeKind.Volatile || !volume.Config.Rw))
        {
            throw QubesErrors.Value("Cannot enable ephemeral on snap_on_start or save_on_stop or non-dom0 or not writable volume");
        }

        return volume.Config with { Ephemeral = value };
    }

    private static async Task RemoveOrNoteAsync(Volume volume, ICollection<VolumeConfig>? left)
    {
        try
        {
            await volume.RemoveAsync(CancellationToken.None);
        }
        catch (QubesException e) when (left is not null && DriverGoneException.IsCauseOf(e))
        {
            if (volume.Kind != VolumeKind.Origin)
            {
                // Nothing of it was made.
                return;
            }

            lock (left)
            {
                left.Add(volume.Config);
            }
        }
    }

    private async Task AllAsync(Func<Volume, Task> work)
    {
        Task[] tasks = [.. Volumes.Select(work)];
        // WhenAll waits for every one and rethrows the first failure.
        await Task.WhenAll(tasks);
    }
}
