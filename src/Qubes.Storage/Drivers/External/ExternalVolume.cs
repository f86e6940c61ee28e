using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>A volume of a driver that is not part of the daemon. What the driver was asked it may be doing: no wait for it is given up.</summary>
internal sealed class ExternalVolume : Volume
{
    private readonly ExternalPool _pool;
    private BlockDevice? _device;

    public ExternalVolume(ExternalPool pool, VolumeConfig config)
        : base(pool, config)
    {
        _pool = pool;
        if (pool.Driver.External is null)
        {
            // It may be of a driver with ids of another form, which is nothing to complain of before anything is asked.
            return;
        }

        VolumeNames.CheckedFileVid(Vid);
        if (config.Source is { } source)
        {
            VolumeNames.CheckedFileVid(source);
        }
    }

    /// <summary>Of this handle's start: where the disk is, only the driver knows.</summary>
    public override BlockDevice? BlockDevice => _device;

    private IExternalDriver Driver => _pool.Service;

    private protected override Task CreateCoreAsync(CancellationToken cancellationToken) =>
        Kind == VolumeKind.Origin ? Driver.CreateAsync(this) : Task.CompletedTask;

    private protected override Task RemoveCoreAsync(CancellationToken cancellationToken) => Driver.RemoveAsync(this);

    private protected override async Task StartCoreAsync(CancellationToken cancellationToken)
    {
        try
        {
            string path = ExternalPath.Checked(await Driver.StartAsync(this));
            _device = new BlockDevice(Name, path, DiskFormat.Raw, ExternalPath.IsFile(path), Config.Rw);
        }
        catch (QubesException e) when (e.InnerException is FormatException)
        {
            // It was started and cannot be used.
            await Driver.StopAsync(this);
            throw;
        }
    }

    private protected override Task StopCoreAsync(CancellationToken cancellationToken) => Driver.StopAsync(this);

    private protected override Task VerifyCoreAsync(CancellationToken cancellationToken) => Driver.VerifyAsync(this);

    private protected override Task<ResizeOutcome> ResizeCoreAsync(long size, CancellationToken cancellationToken) =>
        Config.Rw ? Driver.ResizeAsync(this, size) : throw NotSupported("Resize");

    private protected override async Task<VolumeExport> ExportCoreAsync(CancellationToken cancellationToken)
    {
        if (Kind != VolumeKind.Origin)
        {
            throw NotSupported("Export");
        }

        string path = ExternalPath.Checked(await Driver.ExportAsync(this));
        _ = ExternalPath.IsFile(path);
        return new VolumeExport(path, () => EndExportAsync(path));
    }

    private protected override async Task<string> ImportBeginCoreAsync(long size, CancellationToken cancellationToken)
    {
        CheckImport();
        try
        {
            string path = ExternalPath.Checked(await Driver.BeginImportAsync(this, size));
            _ = ExternalPath.IsFile(path);
            return path;
        }
        catch (QubesException e) when (e.InnerException is FormatException)
        {
            await Driver.EndImportAsync(this, success: false);
            throw;
        }
    }

    private protected override Task ImportEndCoreAsync(bool success, CancellationToken cancellationToken)
    {
        CheckImport();
        return Driver.EndImportAsync(this, success);
    }

    private protected override Task ImportFileCoreAsync(string rawPath, Volume source, CancellationToken cancellationToken) =>
        Driver.ImportAsync(this, rawPath, source.Pool.Driver.External == _pool.Driver.External ? source : null);

    private protected override Task<IReadOnlyList<VolumeRevision>> ListRevisionsCoreAsync(CancellationToken cancellationToken) =>
        Kind == VolumeKind.Origin ? Driver.ListRevisionsAsync(this) : Task.FromResult<IReadOnlyList<VolumeRevision>>([]);

    private protected override Task RevertCoreAsync(string? revision, CancellationToken cancellationToken) =>
        Kind == VolumeKind.Origin ? Driver.RevertAsync(this, revision) : throw NotSupported("Revert");

    private protected override Task<VolumeStatus> ReadStatusAsync() => Driver.GetStatusAsync(this);

    private void CheckImport()
    {
        if (Kind != VolumeKind.Origin)
        {
            throw NotSupported("Import");
        }
    }

    private async Task EndExportAsync(string path)
    {
        try
        {
            await Driver.EndExportAsync(this, path);
        }
        catch (QubesException e) when (DriverGoneException.IsCauseOf(e))
        {
            // Exports end with the run of the driver that made them.
        }
    }
}
