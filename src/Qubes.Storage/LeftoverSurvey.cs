using Qubes.Model.Classes;
using Qubes.Model.Volumes;

namespace Qubes.Storage;

/// <summary>
/// One look over pools: which qubes may have volumes to stop. At the start of the daemon over all of them: asking each volume by itself takes
/// most of the start of a host with a thousand qubes, of which nearly all have none.
/// </summary>
public sealed class LeftoverSurvey
{
    private readonly Dictionary<string, IReadOnlySet<string>> _inUse = new(StringComparer.Ordinal);
    private readonly HashSet<string> _marked;
    private readonly string? _onlyPool;

    /// <summary>Reads directories: not for the model loop.</summary>
    internal LeftoverSurvey(IEnumerable<Pool> pools, RunningMarkers markers)
    {
        foreach (Pool pool in pools)
        {
            _inUse[pool.Name] = pool.ListDirectoriesInUse();
        }

        _marked = markers.List();
    }

    /// <summary>Over one pool, of which is told what is started. Reads a directory as well.</summary>
    internal LeftoverSurvey(string pool, IEnumerable<string> startedVids, RunningMarkers markers)
    {
        _onlyPool = pool;
        _inUse[pool] = startedVids.Where(vid => vid.Contains('/', StringComparison.Ordinal))
            .Select(vid => vid[..vid.LastIndexOf('/')]).ToHashSet(StringComparer.Ordinal);
        _marked = markers.List();
    }

    /// <summary>True if a run, or an operation that did not come to its end, has left files, or if that is not known.</summary>
    public bool MayHaveLeftovers(QubesVM qube)
    {
        foreach (VolumeConfig volume in qube.Volumes.All)
        {
            if (_onlyPool is not null && volume.Pool is { } other && other != _onlyPool)
            {
                continue;
            }

            if (IsDirectoryInUse(volume, qube)
                || (_marked.Count > 0 && volume is { Pool: { } pool, Vid: { } vid } && _marked.Contains(RunningMarkers.NameOf(pool, vid))))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsDirectoryInUse(VolumeConfig volume, QubesVM qube)
    {
        string directory = DirectoryOf(volume, qube);
        return volume.Pool is { } pool
            ? !_inUse.TryGetValue(pool, out IReadOnlySet<string>? directories) || directories.Contains(directory)
            // It is in whichever pool is the default, which may have been another one when it was started.
            : _inUse.Values.Any(directories => directories.Contains(directory));
    }

    private static string DirectoryOf(VolumeConfig volume, QubesVM qube) =>
        volume.Vid is { } vid && vid.LastIndexOf('/') is > 0 and int end ? vid[..end] : qube.DirectoryName;
}
