namespace Qubes.Storage.Tests;

/// <summary>One operation to be interrupted, what comes before it, and which contents of the volume are whole afterwards.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Prepare">Brings the volumes into the state before.</param>
/// <param name="Run">The operation.</param>
/// <param name="Allowed">Committed contents (first blocks of <see cref="PoolBench.Origin"/>) that are right after recovery; null stands for "no volume".</param>
internal sealed record CrashScenario(string Name, Func<PoolBench, Task> Prepare, Func<PoolBench, Task> Run, params byte[]?[] Allowed)
{
    public static IReadOnlyList<CrashScenario> All { get; } =
    [
        new("create", _ => Task.CompletedTask, bench => bench.Origin().CreateAsync(), null, [0, 0]),
        new("start", PrepareTwoStates, bench => bench.Origin().StartAsync(), [1, 2]),
        new("stop", PrepareRunning, bench => bench.Origin().StopAsync(), [1, 3]),
        new("stop-pruning", PrepareRunning, bench => bench.Origin(revisions: 0).StopAsync(), [1, 3]),
        new("stop-unchanged", PrepareStarted, bench => bench.Origin().StopAsync(), [1, 2]),
        new("import-end", PrepareImport, bench => bench.Origin().ImportEndAsync(success: true), [1, 2], [8, 8]),
        new("import-volume", PrepareSource, bench => bench.Origin().ImportVolumeAsync(bench.Origin("appvms/source")), [1, 2], [8, 8]),
        new("grow", PrepareTwoStates, bench => bench.Origin().ResizeAsync(3 * PoolBench.Size), [1, 2]),
        new("shrink", PrepareTwoStates, bench => bench.Origin(revisions: 0).ResizeAsync(4 * Guest.Block), [1, 2]),
        new("revert", PrepareTwoStates, bench => bench.Origin().RevertAsync(null), [1, 2], [1, 0]),
        new("remove", PrepareTwoStates, bench => bench.Origin().RemoveAsync(), [1, 2], null),
        new("snapshot-start", PrepareTwoStates, bench => bench.Snapshot(bench.Origin()).StartAsync(), [1, 2]),
        new("snapshot-stop", PrepareSnapshot, bench => bench.Snapshot(bench.Origin()).StopAsync(), [1, 2]),
    ];

    public static CrashScenario Find(string name) => All.First(scenario => scenario.Name == name);

    private static async Task PrepareTwoStates(PoolBench bench)
    {
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await PoolBench.SessionAsync(volume, 0, 1);
        await PoolBench.SessionAsync(volume, 1, 2);
    }

    private static async Task PrepareRunning(PoolBench bench)
    {
        await PrepareTwoStates(bench);
        await bench.Origin().StartAsync();
        await Guest.WriteAsync(bench.Origin().BlockDevice!, 1, 3);
    }

    private static async Task PrepareStarted(PoolBench bench)
    {
        await PrepareTwoStates(bench);
        await bench.Origin().StartAsync();
    }

    private static async Task PrepareImport(PoolBench bench)
    {
        await PrepareTwoStates(bench);
        BlockDevice target = new("import", await bench.Origin().ImportBeginAsync(PoolBench.Size), DiskFormat.Raw, IsFile: true, IsReadWrite: true);
        await Guest.WriteAsync(target, 0, 8);
        await Guest.WriteAsync(target, 1, 8);
    }

    private static async Task PrepareSource(PoolBench bench)
    {
        await PrepareTwoStates(bench);
        Volume source = bench.Origin("appvms/source");
        await source.CreateAsync();
        await PoolBench.SessionAsync(source, 0, 8);
        await PoolBench.SessionAsync(source, 1, 8);
    }

    private static async Task PrepareSnapshot(PoolBench bench)
    {
        await PrepareTwoStates(bench);
        await bench.Snapshot(bench.Origin()).StartAsync();
    }
}
