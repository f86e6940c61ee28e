using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>
/// Raw image files that share blocks by reflinks (btrfs, xfs). File names are upstream's, so that data can be taken over.
/// With <c>setup_check=False</c> it works without reflinks, by copying.
/// </summary>
internal sealed class ReflinkPool : FilePool
{
    private const string CleanSuffix = ".img";
    private readonly bool _needsReflinks;

    private ReflinkPool(PoolConfig config, StorageEnvironment environment, FilePoolState? state)
        : base(config, Info, environment, state) =>
        _needsReflinks = config["setup_check"]?.ToLowerInvariant() is not ("0" or "no" or "false" or "off");

    public static PoolDriverInfo Info { get; } = new(
        "file-reflink",
        "Raw image files that share blocks (btrfs, xfs)",
        [
            new PoolParameter("revisions_to_keep"),
            new PoolParameter("dir_path", IsMandatory: true),
            new PoolParameter("setup_check", IsStored: false),
            new PoolParameter("ephemeral_volatile"),
        ],
        PoolCapabilities.Writable | PoolCapabilities.Snapshots | PoolCapabilities.Revisions | PoolCapabilities.Resize
            | PoolCapabilities.Import | PoolCapabilities.Export | PoolCapabilities.CheapCopies,
        static (config, environment) => new ReflinkPool(config, environment, state: null));

    public override Volume Open(VolumeConfig config) => new ReflinkVolume(this, config);

    private protected override Pool Reopen(PoolConfig config) => new ReflinkPool(config, Environment, Files);

    private protected override string? VolumeOf(string fileName) =>
        fileName.EndsWith(CleanSuffix, StringComparison.Ordinal) ? fileName[..^CleanSuffix.Length] : null;

    private protected override void Probe(RootedDirectory root)
    {
        if (_needsReflinks && !ReflinkProbe.Works(root))
        {
            throw QubesErrors.StoragePool(
                "The file system of dir_path does not support reflinks; use the driver file-qcow2, "
                + "or setup_check=False to have every start copy whole images");
        }
    }
}
