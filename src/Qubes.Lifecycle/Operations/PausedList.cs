using System.Text;
using Qubes.Linux;

namespace Qubes.Lifecycle.Operations;

/// <summary>
/// The qubes that were paused before the host went to sleep and stay so when it wakes up:
/// <c>run/qubes/previously-paused.list</c>, names separated by line feeds, none at the end.
/// </summary>
internal static class PausedList
{
    private const string FileName = "previously-paused.list";

    // Ten thousand qubes with names of 31 characters fit.
    private const int MostBytes = 1 << 20;

    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    internal static void Write(QubesPaths paths, IEnumerable<string> names)
    {
        Directory.CreateDirectory(paths.QubesRunDirectory);
        AtomicFile.Write(PathIn(paths), Encoding.UTF8.GetBytes(string.Join('\n', names)), Mode);
    }

    /// <summary>Reads and removes it. Without one (a resume nobody announced) nothing was paused before.</summary>
    internal static IReadOnlySet<string> Take(QubesPaths paths)
    {
        string path = PathIn(paths);
        if (FileStatus.Find(path) is not { IsOwnRegularFile: true })
        {
            return new HashSet<string>();
        }

        byte[] bytes = new FileInfo(path).Length > MostBytes ? [] : File.ReadAllBytes(path);
        File.Delete(path);
        return Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal);
    }

    private static string PathIn(QubesPaths paths) => Path.Combine(paths.QubesRunDirectory, FileName);
}
