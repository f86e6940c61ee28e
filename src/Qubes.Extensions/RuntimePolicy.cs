using System.Text;
using Qubes.Linux;

namespace Qubes.Extensions;

/// <summary>
/// Files with rules of the daemon's own in <c>run/qubes/policy.d</c>: they come before those of people and are gone after a restart of the host.
/// Policy looks at the files before each decision. Blocks on the file system.
/// </summary>
/// <param name="directory">That directory.</param>
internal sealed class RuntimePolicy(string directory)
{
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Puts a file in place, or replaces it.</summary>
    public void Write(string name, string rules)
    {
        Directory.CreateDirectory(directory);
        AtomicFile.Write(Path.Combine(directory, name), Encoding.ASCII.GetBytes(rules), FileMode);
    }

    /// <summary>Removes a file if it is there.</summary>
    public void Remove(string name)
    {
        if (Directory.Exists(directory))
        {
            File.Delete(Path.Combine(directory, name));
        }
    }

    /// <summary>Removes what a run that was killed has left.</summary>
    public void Clear(string prefix)
    {
        if (Directory.Exists(directory))
        {
            foreach (string file in Directory.EnumerateFiles(directory, prefix + "*.policy"))
            {
                File.Delete(file);
            }
        }
    }
}
