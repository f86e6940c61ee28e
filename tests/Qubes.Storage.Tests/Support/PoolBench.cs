using Qubes.Linux;
using Qubes.Model.Volumes;

namespace Qubes.Storage.Tests;

/// <summary>A pool of one driver in a directory of its own, and the volumes the tests use in it.</summary>
internal sealed class PoolBench
{
    public const long Size = 16 * Guest.Block;

    private PoolBench(string driver, string directory)
    {
        Directory = Path.Combine(directory, "pool");
        Storage = new StorageService(new StorageEnvironment { Paths = new QubesPaths(directory) });
        Config = new PoolConfig { Name = "bench", Driver = driver, Options = [new("dir_path", Directory)] };
    }

    public string Directory { get; }

    public StorageService Storage { get; }

    public PoolConfig Config { get; }

    public static async Task<PoolBench> CreateAsync(string driver, string directory)
    {
        PoolBench bench = new(driver, directory);
        await bench.Storage.CreateAsync(bench.Config);
        return bench;
    }

    /// <summary>The same files seen by a new daemon.</summary>
    public static PoolBench Reopen(string driver, string directory)
    {
        PoolBench bench = new(driver, directory);
        bench.Storage.Add(bench.Config);
        return bench;
    }

    public Volume Origin(string qube = "appvms/work", string name = "private", int revisions = 2, long size = Size) => Storage.Open(new VolumeConfig
    {
        Name = name, Pool = "bench", Vid = $"{qube}/{name}", Size = size, Rw = true, SaveOnStop = true, RevisionsToKeep = revisions,
    });

    public Volume Snapshot(Volume source, string qube = "appvms/other", string name = "root") => Storage.Open(new VolumeConfig
    {
        Name = name, Pool = "bench", Vid = $"{qube}/{name}", Size = source.Config.Size, Rw = true, SnapOnStart = true, Source = source.Vid,
    });

    public Volume Volatile(string qube = "appvms/work", string name = "volatile") => Storage.Open(new VolumeConfig
    {
        Name = name, Pool = "bench", Vid = $"{qube}/{name}", Size = Size, Rw = true,
    });

    /// <summary>One run of a qube that writes one block.</summary>
    public static async Task SessionAsync(Volume volume, int block, byte value)
    {
        await volume.StartAsync();
        await Guest.WriteAsync(volume.BlockDevice!, block, value);
        await volume.StopAsync();
    }

    /// <summary>All files beneath the pool's directory, relative, sorted.</summary>
    public string[] Files() =>
        [.. System.IO.Directory.EnumerateFiles(Directory, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .Select(path => Path.GetRelativePath(Directory, path)).Order(StringComparer.Ordinal)];

    /// <summary>Fails if there is a file that belongs to nothing.</summary>
    public void AssertNothingLeaked() => Assert.DoesNotContain(Files(), file =>
        file.Contains('~', StringComparison.Ordinal) || file.StartsWith(".intents/", StringComparison.Ordinal)
        || file.EndsWith("-import.img", StringComparison.Ordinal) || IsUnlistedLayer(file));

    private bool IsUnlistedLayer(string file)
    {
        string name = Path.GetFileName(file);
        string[] parts = name.Split('.');
        if (parts.Length != 3 || !int.TryParse(parts[1], out _))
        {
            return false;
        }

        string list = Path.Combine(Directory, Path.GetDirectoryName(file)!, parts[0] + Qcow2Volume.LayersSuffix);
        return !File.Exists(list)
            || !LayerTree.Parse(File.ReadAllBytes(list)).Layers.Any(layer => parts[0] + layer.Suffix == name);
    }
}
