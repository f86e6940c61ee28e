using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>
/// The kernel a qube boots from, <c>DIR/VID/{vmlinuz,initramfs,modules.img}</c>, as a volume: its disk is the image of the modules.
/// The vid is the qube's <c>kernel</c> property; empty boots what is inside the qube.
/// </summary>
internal sealed class KernelVolume : Volume
{
    private readonly KernelPool _pool;

    public KernelVolume(KernelPool pool, VolumeConfig config)
        : base(pool, Checked(config)) => _pool = pool;

    public override BlockDevice? BlockDevice =>
        Files?.Modules is { } modules ? new BlockDevice(Name, modules, DiskFormat.Raw, IsFile: true, IsReadWrite: false) : null;

    /// <summary>Null without a kernel, or when it is not installed. Looks at the disk.</summary>
    public KernelFiles? Files
    {
        get
        {
            if (Vid.Length == 0 || !Directory.Exists(_pool.DirectoryPath))
            {
                return null;
            }

            using RootedDirectory root = RootedDirectory.Open(_pool.DirectoryPath);
            return root.Find($"{Vid}/vmlinuz") is { IsRegularFile: true }
                ? new KernelFiles(root.PathOf(Vid), root.PathOf($"{Vid}/vmlinuz"), Existing(root, "initramfs"), Existing(root, "modules.img"))
                : null;
        }
    }

    public override Task ImportVolumeAsync(Volume source, CancellationToken cancellationToken = default) =>
        source is KernelVolume ? Task.CompletedTask : throw NotSupported("Import");

    private protected override Task CreateCoreAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private protected override Task RemoveCoreAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private protected override Task StartCoreAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private protected override Task StopCoreAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private protected override Task VerifyCoreAsync(CancellationToken cancellationToken) =>
        Vid.Length == 0 || Files is not null ? Task.CompletedTask : throw QubesErrors.StoragePool($"Missing file: {Vid}/vmlinuz");

    private protected override Task<ResizeOutcome> ResizeCoreAsync(long size, CancellationToken cancellationToken) => throw NotSupported("Resize");

    private protected override Task<VolumeExport> ExportCoreAsync(CancellationToken cancellationToken) =>
        Task.FromResult(new VolumeExport(Files?.Modules ?? throw NotSupported("Export")));

    private protected override Task<string> ImportBeginCoreAsync(long size, CancellationToken cancellationToken) => throw NotSupported("Import");

    private protected override Task ImportEndCoreAsync(bool success, CancellationToken cancellationToken) => throw NotSupported("Import");

    private protected override Task ImportFileCoreAsync(string rawPath, Volume source, CancellationToken cancellationToken) => throw NotSupported("Import");

    private protected override Task<IReadOnlyList<VolumeRevision>> ListRevisionsCoreAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<VolumeRevision>>([]);

    private protected override Task RevertCoreAsync(string? revision, CancellationToken cancellationToken) => throw NotSupported("Revert");

    private protected override Task<VolumeStatus> ReadStatusAsync()
    {
        string? modules = Files?.Modules;
        long size = modules is null ? 0 : new FileInfo(modules).Length;
        return Task.FromResult(new VolumeStatus(size, size, modules, IsDirty: false, IsOutdated: null));
    }

    private static VolumeConfig Checked(VolumeConfig config)
    {
        if (config.Rw || config.SaveOnStop || config.SnapOnStart || config.Ephemeral == true || config.RevisionsToKeep is > 0 or < 0)
        {
            throw QubesErrors.Value("Kernel volumes are read-only and keep no revisions");
        }

        string vid = config.Vid ?? "";
        return vid.Length == 0 || VolumeNames.IsSegment(vid) ? config : throw QubesErrors.StoragePool("Kernel name is not valid");
    }

    private string? Existing(RootedDirectory root, string name) =>
        root.Find($"{Vid}/{name}") is { IsRegularFile: true } ? root.PathOf($"{Vid}/{name}") : null;
}
