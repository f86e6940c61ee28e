namespace Qubes.Storage;

/// <summary>A disk to be given to a qube: what the domain XML says of it.</summary>
/// <param name="Name">The volume's name, which decides the device letter.</param>
/// <param name="Path">Absolute path of a file or block device; never empty.</param>
/// <param name="Format">How the data lies in it.</param>
/// <param name="IsFile">A regular file, not a block device.</param>
/// <param name="IsReadWrite">The qube may write.</param>
public sealed record BlockDevice(string Name, string Path, DiskFormat Format, bool IsFile, bool IsReadWrite)
{
    /// <summary>The device name of the standard volumes; null for others, which get the letters from <c>xvde</c> on.</summary>
    public string? StandardTarget => Name switch
    {
        "root" => "xvda",
        "private" => "xvdb",
        "volatile" => "xvdc",
        "kernel" => "xvdd",
        _ => null,
    };

    /// <summary>Pairs devices with their names in the guest, in the order given.</summary>
    /// <exception cref="InvalidOperationException">More volumes than letters.</exception>
    public static IReadOnlyList<(string Target, BlockDevice Device)> AssignTargets(IEnumerable<BlockDevice> devices)
    {
        char next = 'e';
        List<(string, BlockDevice)> assigned = [];
        foreach (BlockDevice device in devices)
        {
            if (device.StandardTarget is { } target)
            {
                assigned.Add((target, device));
                continue;
            }

            if (next > 'y')
            {
                throw new InvalidOperationException("A qube has at most 21 volumes besides the standard ones.");
            }

            assigned.Add(("xvd" + next++, device));
        }

        return assigned;
    }
}
