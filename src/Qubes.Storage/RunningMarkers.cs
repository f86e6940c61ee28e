using Qubes.Linux;

namespace Qubes.Storage;

/// <summary>
/// The empty files that tell other programs of the host which volumes are in use:
/// <c>run/qubes/volume-running-POOL:VID</c>, in the part after the dash <c>-</c> doubled and then <c>/</c> made <c>-</c>.
/// They live in memory-backed storage: after a reboot there are none.
/// </summary>
internal sealed class RunningMarkers(QubesPaths paths)
{
    private const string Prefix = "volume-running-";

    public void Set(IEnumerable<Volume> volumes)
    {
        Directory.CreateDirectory(paths.QubesRunDirectory);
        foreach (Volume volume in volumes)
        {
            using FileStream created = new(PathOf(volume), FileMode.OpenOrCreate, FileAccess.Write);
        }
    }

    public void Clear(IEnumerable<Volume> volumes)
    {
        foreach (Volume volume in volumes)
        {
            string path = PathOf(volume);
            if (File.Exists(path))
            {
                File.Delete(path);
            }
        }
    }

    /// <summary>The names of all markers there are.</summary>
    public HashSet<string> List() => Directory.Exists(paths.QubesRunDirectory)
        ? [.. Directory.EnumerateFiles(paths.QubesRunDirectory, Prefix + "*").Select(path => Path.GetFileName(path))]
        : [];

    public static string NameOf(string pool, string vid) =>
        Prefix + $"{pool}:{vid}".Replace("-", "--", StringComparison.Ordinal).Replace('/', '-');

    public bool AnySet(IEnumerable<Volume> volumes) => volumes.Any(volume => File.Exists(PathOf(volume)));

    private string PathOf(Volume volume) => Path.Combine(paths.QubesRunDirectory, NameOf(volume.Pool.Name, volume.Vid));
}
