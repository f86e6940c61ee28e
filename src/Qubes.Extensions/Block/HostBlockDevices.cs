using System.Globalization;

namespace Qubes.Extensions.Block;

/// <summary>
/// The block devices of the host that nothing uses: what a udev rule tells in the QubesDB of any other backend. Reads files; not for
/// the model loop.
/// </summary>
/// <param name="systemDirectory"><c>/sys</c>.</param>
/// <param name="processDirectory"><c>/proc</c>.</param>
/// <param name="stateDirectory">Images below it are volumes of qubes, and no devices.</param>
internal sealed class HostBlockDevices(string systemDirectory, string processDirectory, string stateDirectory)
{
    private const int SectorSize = 512;

    public IReadOnlyList<BlockEntry> Scan()
    {
        string classDirectory = Path.Combine(systemDirectory, "class/block");
        if (!Directory.Exists(classDirectory))
        {
            return [];
        }

        (HashSet<string> Numbers, HashSet<string> Nodes) used = ReadUsed();
        List<BlockEntry> found = [];
        foreach (string path in Directory.EnumerateFileSystemEntries(classDirectory).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(path);
            string device = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
            try
            {
                if (BlockEntries.IsPort(name) && Describe(name, device) is { } entry && !IsUsed(name, device, used))
                {
                    found.Add(entry);
                }
            }
            catch (IOException)
            {
                // Unplugged while it was looked at.
            }

            if (found.Count == BlockEntries.MostDevices)
            {
                break;
            }
        }

        return found;
    }

    private BlockEntry? Describe(string name, string device)
    {
        if (name.StartsWith("ram", StringComparison.Ordinal) || name.StartsWith("zram", StringComparison.Ordinal)
            || !long.TryParse(Read(device, "size"), NumberStyles.None, CultureInfo.InvariantCulture, out long sectors) || sectors == 0)
        {
            return null;
        }

        string? parent = null;
        string description;
        if (name.StartsWith("loop", StringComparison.Ordinal) && Path.GetFileName(Path.GetDirectoryName(device)!) == "block")
        {
            if (Read(device, "loop/backing_file") is not { Length: > 0 } file || IsVolume(file))
            {
                return null;
            }

            description = file.Replace(' ', '_');
        }
        else if (name.StartsWith("dm-", StringComparison.Ordinal))
        {
            description = Read(device, "dm/name") ?? name;
        }
        else
        {
            bool isPartition = File.Exists(Path.Combine(device, "partition"));
            string disk = isPartition ? Path.GetDirectoryName(device)! : device;
            description = (Read(disk, "device/model") ?? "").Trim().Replace(' ', '_') + " ()";
            parent = isPartition ? Path.GetFileName(disk) : FindUsbInterface(device);
        }

        return new BlockEntry(name, description, (sectors * SectorSize).ToString(CultureInfo.InvariantCulture),
            Read(device, "ro") == "1" ? "r" : "w", parent);
    }

    // A block device of a USB device lies below the interface that makes it: …/1-2/1-2:1.0/host6/…
    private static string? FindUsbInterface(string device) => device.Split('/').LastOrDefault(part =>
        part.Length > 0 && char.IsAsciiDigit(part[0]) && part.Contains('-') && part.Split(':') is [_, { Length: 3 } number] && number[1] == '.');

    private bool IsVolume(string file) => file.StartsWith(stateDirectory.TrimEnd('/') + "/", StringComparison.Ordinal);

    /// <summary>Mounted, swapped to, a part of another device; or one of its partitions is.</summary>
    private static bool IsUsed(string name, string device, (HashSet<string> Numbers, HashSet<string> Nodes) used)
    {
        if (used.Nodes.Contains("/dev/" + name) || (Read(device, "dev") is { } number && used.Numbers.Contains(number)))
        {
            return true;
        }

        string holders = Path.Combine(device, "holders");
        return (Directory.Exists(holders) && Directory.EnumerateFileSystemEntries(holders).Any())
            || Directory.EnumerateDirectories(device).Any(part => File.Exists(Path.Combine(part, "partition")) && IsUsed(Path.GetFileName(part), part, used));
    }

    private (HashSet<string> Numbers, HashSet<string> Nodes) ReadUsed()
    {
        HashSet<string> numbers = new(StringComparer.Ordinal);
        HashSet<string> nodes = new(StringComparer.Ordinal);

        // ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS … '-' TYPE SOURCE OPTIONS; some file systems have a number of their own, but name the source
        foreach (string line in ReadLines("self/mountinfo"))
        {
            string[] fields = line.Split(' ');
            int dash = Array.IndexOf(fields, "-");
            if (fields.Length > 2 && dash > 0 && dash + 2 < fields.Length)
            {
                numbers.Add(fields[2]);
                nodes.Add(fields[dash + 2]);
            }
        }

        foreach (string line in ReadLines("swaps"))
        {
            nodes.Add(line.Split(' ', '\t')[0]);
        }

        return (numbers, nodes);
    }

    private string[] ReadLines(string file)
    {
        string path = Path.Combine(processDirectory, file);
        return File.Exists(path) ? File.ReadAllLines(path) : [];
    }

    private static string? Read(string directory, string file)
    {
        string path = Path.Combine(directory, file);
        return File.Exists(path) ? File.ReadAllText(path).TrimEnd('\n') : null;
    }
}
