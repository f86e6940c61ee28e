using System.Collections.Concurrent;

namespace Qubes.Storage.Tests.External;

/// <summary>A driver outside of the daemon that keeps what it is asked, and answers as it is told to.</summary>
internal sealed class RecordingDriver : IExternalDriver
{
    private readonly ConcurrentQueue<string> _asked = new();

    public IReadOnlyList<string> Asked => [.. _asked];

    /// <summary>What to do when it is asked this, instead of agreeing.</summary>
    public Dictionary<string, Func<Task>> Instead { get; } = [];

    public string Path { get; set; } = "/";

    public Task SetupAsync(Pool pool) => DoAsync("setup " + pool.Name);

    public Task OpenAsync(Pool pool) => DoAsync("open " + pool.Name);

    public Task CloseAsync(Pool pool) => DoAsync("close " + pool.Name);

    public async Task<PoolUsage?> GetUsageAsync(Pool pool)
    {
        await DoAsync("usage " + pool.Name);
        return new PoolUsage(2, 1);
    }

    public async Task<IReadOnlyList<string>> ListVidsAsync(Pool pool)
    {
        await DoAsync("list " + pool.Name);
        return [];
    }

    public Task CreateAsync(Volume volume) => DoAsync("create " + volume.Vid);

    public Task RemoveAsync(Volume volume) => DoAsync("remove " + volume.Vid);

    public Task<string> StartAsync(Volume volume) => GiveAsync("start " + volume.Vid);

    public Task StopAsync(Volume volume) => DoAsync("stop " + volume.Vid);

    public Task VerifyAsync(Volume volume) => DoAsync("verify " + volume.Vid);

    public async Task<ResizeOutcome> ResizeAsync(Volume volume, long size)
    {
        await DoAsync($"resize {volume.Vid} {size}");
        return ResizeOutcome.Done;
    }

    public Task<string> ExportAsync(Volume volume) => GiveAsync("export " + volume.Vid);

    public Task EndExportAsync(Volume volume, string path) => DoAsync("export-end " + volume.Vid);

    public Task<string> BeginImportAsync(Volume volume, long size) => GiveAsync($"import-begin {volume.Vid} {size}");

    public Task EndImportAsync(Volume volume, bool success) => DoAsync($"import-end {volume.Vid} {success}");

    public Task ImportAsync(Volume volume, string path, Volume? source) => DoAsync($"import {volume.Vid} {source?.Vid}");

    public async Task<IReadOnlyList<VolumeRevision>> ListRevisionsAsync(Volume volume)
    {
        await DoAsync("revisions " + volume.Vid);
        return [];
    }

    public Task RevertAsync(Volume volume, string? revision) => DoAsync($"revert {volume.Vid} {revision}");

    public async Task<VolumeStatus> GetStatusAsync(Volume volume)
    {
        await DoAsync("status " + volume.Vid);
        return new VolumeStatus(1, 1, null, IsDirty: false, IsOutdated: null);
    }

    private async Task<string> GiveAsync(string what)
    {
        await DoAsync(what);
        return Path;
    }

    private Task DoAsync(string what)
    {
        _asked.Enqueue(what);
        return Instead.TryGetValue(what, out Func<Task>? instead) ? instead() : Task.CompletedTask;
    }
}
