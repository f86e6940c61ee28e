using Qubes.Linux;
using Qubes.Model.Volumes;

namespace Qubes.Storage;

/// <summary>A directory with one subdirectory per kernel. Read-only; what is in it is brought there by others.</summary>
internal sealed class KernelPool : Pool
{
    private KernelPool(PoolConfig config, StorageEnvironment environment, PoolState? state)
        : base(config, Info, environment, state ?? new PoolState()) => DirectoryPath = config["dir_path"]!;

    public static PoolDriverInfo Info { get; } = new(
        "linux-kernel",
        "Kernels of the host, given to qubes read-only",
        [new PoolParameter("dir_path", IsMandatory: true)],
        PoolCapabilities.Export,
        static (config, environment) => new KernelPool(config, environment, state: null));

    public override string DirectoryPath { get; }

    public override int RevisionsToKeep => 0;

    /// <summary>The id follows the qube's <c>kernel</c> property; until that is known there is none.</summary>
    public override string NewVid(string qubeDirectory, string volumeName) => "";

    public override Volume Open(VolumeConfig config) => new KernelVolume(this, config);

    public override Task SetupAsync(CancellationToken cancellationToken = default) =>
        Task.Run(() => Directory.CreateDirectory(DirectoryPath), cancellationToken);

    public override Task<int> RecoverAsync(CancellationToken cancellationToken = default) => Task.FromResult(0);

    public override Task<PoolUsage?> GetUsageAsync(CancellationToken cancellationToken = default) => Task.FromResult<PoolUsage?>(null);

    public override Task<IReadOnlyList<string>> ListVidsAsync(CancellationToken cancellationToken = default) => Task.Run(
        () =>
        {
            if (!Directory.Exists(DirectoryPath))
            {
                return (IReadOnlyList<string>)[];
            }

            using RootedDirectory root = RootedDirectory.Open(DirectoryPath);
            return [.. root.List("").Where(name => VolumeNames.IsSegment(name) && root.Find(name) is { IsDirectory: true }).Order(StringComparer.Ordinal)];
        },
        cancellationToken);

    internal override IReadOnlySet<string> ListDirectoriesInUse() => new HashSet<string>();

    private protected override Pool Reopen(PoolConfig config) => new KernelPool(config, Environment, State);
}
