using System.Globalization;
using System.Text;
using Qubes.Linux;

namespace Qubes.Extensions.Usb;

/// <summary>
/// Rules that hold for the moment of one call: each a file of its own in <c>run/qubes/policy.d</c>, before those of people, and removed
/// afterwards. Policy looks at the files before each decision.
/// </summary>
/// <param name="directory">That directory.</param>
internal sealed class TemporaryPolicy(string directory)
{
    private const string Prefix = "10-usb-attach-";
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private long _last;

    /// <summary>Removes what a run that was killed has left.</summary>
    public void Clear()
    {
        if (Directory.Exists(directory))
        {
            foreach (string file in Directory.EnumerateFiles(directory, Prefix + "*.policy"))
            {
                File.Delete(file);
            }
        }
    }

    /// <summary>Does something while a rule holds.</summary>
    public async Task<T> WhileAsync<T>(string rule, Func<Task<T>> action)
    {
        string file = Path.Combine(directory, Prefix + Interlocked.Increment(ref _last).ToString(CultureInfo.InvariantCulture) + ".policy");
        await Task.Run(() =>
        {
            Directory.CreateDirectory(directory);
            AtomicFile.Write(file, Encoding.ASCII.GetBytes(rule + "\n"), FileMode);
        });
        try
        {
            return await action();
        }
        finally
        {
            await Task.Run(() => File.Delete(file));
        }
    }
}
