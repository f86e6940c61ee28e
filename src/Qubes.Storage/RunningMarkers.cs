using Qubes.Linux;

namespace Qubes.Storage;

/// <summary>
/// The empty files that tell other programs of the host which volumes are in use:
/// <c>run/qubes/volume-running-POOL:VID</c>, in the part after the dash <c>-</c> doubled and then <c>/</c> made <c>-</c>.
/// They live in memory-backed storage: after a reboot there are none. The directory is shared with others: only files of our own count.
/// </summary>
internal sealed class RunningMarkers(QubesPaths paths)
{
    private const string Prefix = "volume-running-";

    public void Set(IEnumerable<Volume> volumes)
    {
        Directory.CreateDirectory(paths.QubesRunDirectory);
        foreach (Volume volume in volumes)
        {
            string path = PathOf(volume);
            if (!IsMarker(path))
            {
                File.Delete(path);
                using FileStream created = new(path, FileMode.CreateNew, FileAccess.Write);
            }
        }
    }

    public void Clear(IEnumerable<Volume> volumes)
    {
        foreach (Volume volume in volumes)
        {
            string path = PathOf(volume);
            if (IsMarker(path))
            {
                File.Delete(path);
            }
        }
    }

    /// <summary>The names of all markers there are.</summary>
    public HashSet<string> List() => Directory.Exists(paths.QubesRunDirectory)
        ? [.. Directory.EnumerateFiles(paths.QubesRunDirectory, Prefix + "*").Where(IsMarker).Select(path => Path.GetFileName(path))]
        : [];

    public static string NameOf(string pool, string vid) =>
        Prefix + $"{pool}:{vid}".Replace("-", "--", StringComparison.Ordinal).Replace('/', '-');

    public bool AnySet(IEnumerable<Volume> volumes) => volumes.Any(volume => IsMarker(PathOf(volume)));

    private static bool IsMarker(string path) => FileStatus.Find(path) is { IsOwnRegularFile: true };

    private string PathOf(Volume volume) => Path.Combine(paths.QubesRunDirectory, NameOf(volume.Pool.Name, volume.Vid));
}
