using System.Globalization;
using Qubes.Linux;
using Qubes.Model.Host;

namespace Qubesd;

/// <summary>What the model wants to know of this machine.</summary>
internal sealed class HostFacts : FixedHostFacts
{
    private const int LongestKernelOptions = 4096;
    private readonly QubesPaths _paths;

    public HostFacts(QubesPaths paths)
    {
        _paths = paths;
        BaseDirectory = paths.StateDirectory;
        CpuCount = Environment.ProcessorCount;
        MemoryMiB = ReadMemoryMiB();
    }

    // A kernel's directory is looked at by one or two system calls on names that are in the kernel's cache: cheaper than
    // keeping a copy that can be wrong.
    public override KernelPresence FindKernel(string kernel)
    {
        string directory = _paths.KernelDirectory(kernel);
        return File.Exists(Path.Combine(directory, "vmlinuz")) ? KernelPresence.Installed
            : Directory.Exists(directory) ? KernelPresence.WithoutImage
            : KernelPresence.Missing;
    }

    public override string? DefaultKernelOptions(string kernel, bool withPci)
    {
        FileInfo file = new(Path.Combine(_paths.KernelDirectory(kernel),
            withPci ? "default-kernelopts-pci.txt" : "default-kernelopts-nopci.txt"));
        return file is { Exists: true, Length: <= LongestKernelOptions } ? File.ReadAllText(file.FullName).Trim() : null;
    }

    public override bool SupportsMemoryHotplug(string kernel) =>
        File.Exists(Path.Combine(_paths.KernelDirectory(kernel), "memory-hotplug-supported"));

    // MemTotal:       16384256 kB
    private static int ReadMemoryMiB()
    {
        const string key = "MemTotal:";
        foreach (string line in File.ReadLines("/proc/meminfo"))
        {
            if (line.StartsWith(key, StringComparison.Ordinal))
            {
                string kilobytes = line[key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim();
                return (int)(long.Parse(kilobytes, CultureInfo.InvariantCulture) / 1024);
            }
        }

        throw new InvalidDataException("/proc/meminfo does not tell the memory of this machine");
    }
}
