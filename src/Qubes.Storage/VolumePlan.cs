using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>From what a qube's class wants to what its volumes are: pools, sources, ids. Pure; touches no disk.</summary>
public static class VolumePlan
{
    /// <summary>64 TiB: beyond it image formats and file systems differ in what they can address.</summary>
    public const long MaxSize = 1L << 46;

    /// <summary>
    /// Applies the pool choice of a creation. <paramref name="pool"/> moves only volumes that are writable and no snapshots;
    /// <paramref name="pools"/> moves the named ones. At most one of the two is given.
    /// </summary>
    /// <exception cref="QubesException">A snapshot was to be moved away from its source.</exception>
    public static IReadOnlyList<VolumeConfig> ChoosePools(
        IReadOnlyList<VolumeConfig> volumes, string? pool, IReadOnlyDictionary<string, string>? pools)
    {
        if (pool is null && (pools is null || pools.Count == 0))
        {
            return volumes;
        }

        return [.. volumes.Select(volume =>
        {
            // A chosen pool starts the volume's life anew: what belonged to the former place goes.
            VolumeConfig bare = volume with { Vid = null, RevisionsToKeep = null, Ephemeral = null, Extra = [] };
            if (pool is not null)
            {
                return volume.Rw && !volume.SnapOnStart ? bare with { Pool = pool } : bare;
            }

            if (!pools!.TryGetValue(volume.Name, out string? chosen))
            {
                return bare;
            }

            return volume.SnapOnStart
                ? throw QubesErrors.General(
                    $"Snapshot volume {volume.Name} must be in the same pool as its origin ({volume.Pool ?? "of its template"})")
                : bare with { Pool = chosen };
        })];
    }

    /// <summary>
    /// Completes a configuration: the source found through the templates, the pool, the id, the revisions to keep.
    /// </summary>
    /// <param name="volume">As the class or the store gives it.</param>
    /// <param name="qubeDirectory"><c>appvms/NAME</c> or <c>vm-templates/NAME</c>.</param>
    /// <param name="templates">The (completed) volumes of the qube's template, then of that one's template, and so on.</param>
    /// <param name="defaultPool">The value of <c>default_pool_NAME</c> for a volume's name.</param>
    /// <param name="findPool">Throws for an unknown pool.</param>
    public static VolumeConfig Complete(
        VolumeConfig volume,
        string qubeDirectory,
        IReadOnlyList<IReadOnlyList<VolumeConfig>> templates,
        Func<string, string> defaultPool,
        Func<string, Pool> findPool)
    {
        if (!VolumeNames.IsName(volume.Name))
        {
            throw QubesErrors.StoragePool("Volume name is not valid");
        }

        if (volume.SnapOnStart && volume.Source is null && FindOrigin(volume.Name, templates) is { } origin)
        {
            // A snapshot lives where its source lives, whatever its own configuration says.
            volume = volume with { Source = origin.Vid, Pool = origin.Pool, Size = origin.Size };
        }

        volume = volume with { Pool = volume.Pool ?? defaultPool(volume.Name) };
        Pool pool = findPool(volume.Pool);
        volume = volume with { Vid = volume.Vid ?? pool.NewVid(qubeDirectory, volume.Name) };
        Volume opened = pool.Open(volume);
        return opened.Config with { RevisionsToKeep = opened.RevisionsToKeep };
    }

    /// <summary>Takes the sources anew after the qube got another template. Volumes that are no snapshots stay.</summary>
    public static VolumeConfig FollowTemplate(VolumeConfig volume, IReadOnlyList<IReadOnlyList<VolumeConfig>> templates) =>
        volume.SnapOnStart && FindOrigin(volume.Name, templates) is { } origin
            ? volume with { Source = origin.Vid, Pool = origin.Pool, Size = origin.Size }
            : volume;

    private static VolumeConfig? FindOrigin(string name, IReadOnlyList<IReadOnlyList<VolumeConfig>> templates)
    {
        foreach (IReadOnlyList<VolumeConfig> volumes in templates)
        {
            VolumeConfig? found = volumes.FirstOrDefault(volume => volume.Name == name);
            if (found is null || !found.SnapOnStart)
            {
                return found;
            }
        }

        return null;
    }
}
