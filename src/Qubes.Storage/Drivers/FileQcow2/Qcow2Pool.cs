using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>qcow2 images lying on each other, for file systems that cannot share blocks (ext4). Starts and stops move no data.</summary>
internal sealed class Qcow2Pool : FilePool
{
    private Qcow2Pool(PoolConfig config, StorageEnvironment environment, FilePoolState? state)
        : base(config, Info, environment, state) => QemuImage = new QemuImage(environment.QemuImg);

    public static PoolDriverInfo Info { get; } = new(
        "file-qcow2",
        "qcow2 images on any file system (ext4)",
        [
            new PoolParameter("revisions_to_keep"),
            new PoolParameter("dir_path", IsMandatory: true),
            new PoolParameter("ephemeral_volatile"),
        ],
        PoolCapabilities.Writable | PoolCapabilities.Snapshots | PoolCapabilities.Revisions | PoolCapabilities.Resize
            | PoolCapabilities.Import | PoolCapabilities.Export,
        static (config, environment) => new Qcow2Pool(config, environment, state: null));

    public QemuImage QemuImage { get; }

    public override Volume Open(VolumeConfig config) => new Qcow2Volume(this, config);

    private protected override Pool Reopen(PoolConfig config) => new Qcow2Pool(config, Environment, Files);

    private protected override string? VolumeOf(string fileName) =>
        fileName.EndsWith(Qcow2Volume.LayersSuffix, StringComparison.Ordinal) ? fileName[..^Qcow2Volume.LayersSuffix.Length] : null;

    private protected override void Probe(RootedDirectory root)
    {
        if (!File.Exists(Environment.QemuImg))
        {
            throw QubesErrors.StoragePool("The driver file-qcow2 needs the program qemu-img");
        }
    }
}
