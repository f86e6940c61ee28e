namespace Qubes.Storage.Tests;

/// <summary>
/// kill -9 at every fault point of every operation, then what a daemon does at start: recovery, and a stop of what is not running.
/// The content must be the old or the new one, whole; no file may be left that belongs to nothing; the volume must be usable.
/// </summary>
public abstract class CrashTests(string driver, ScratchFileSystem fileSystem)
{
    private const int MostFaultPoints = 200;

    public static TheoryData<string> Scenarios => [.. CrashScenario.All.Select(scenario => scenario.Name)];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task A_crash_at_any_point_loses_nothing_and_leaks_nothing(string name)
    {
        CrashScenario scenario = CrashScenario.Find(name);
        for (int hit = 1; ; hit++)
        {
            Assert.True(hit < MostFaultPoints);
            string directory = fileSystem.NewDirectory();
            await scenario.Prepare(await PoolBench.CreateAsync(driver, directory));
            bool killed = await Worker.IsKilledAsync(name, driver, directory, hit);
            await AssertWholeAsync(scenario, PoolBench.Reopen(driver, directory), hit);
            if (!killed)
            {
                Assert.True(hit > 1, "The operation has no fault point.");
                return;
            }
        }
    }

    private static async Task AssertWholeAsync(CrashScenario scenario, PoolBench bench, int hit)
    {
        string when = $"{scenario.Name}, fault point {hit}";
        await bench.Storage.RecoverAsync();
        Volume volume = bench.Origin();
        await volume.StopAsync();
        await bench.Snapshot(volume).StopAsync();
        await bench.Origin("appvms/source").StopAsync();

        bool exists = (await bench.Storage.Find("bench").ListVidsAsync()).Contains(volume.Vid);
        byte[]? content = exists ? await Guest.CommittedAsync(volume, 2) : null;
        Assert.True(
            scenario.Allowed.Any(allowed => allowed is null ? content is null : content is not null && allowed.AsSpan().SequenceEqual(content)),
            $"{when}: content is {(content is null ? "missing" : string.Join(',', content))}");

        // An import begun and never ended is dropped at the next start.
        if (exists)
        {
            await volume.VerifyAsync();
            await PoolBench.SessionAsync(volume, 0, 77);
            Assert.Equal(77, (await Guest.CommittedAsync(volume, 1))[0]);
            bench.AssertNothingLeaked();
        }

        await volume.RemoveAsync();
        await bench.Origin("appvms/source").RemoveAsync();
        Assert.True(bench.Files().Length == 0, $"{when}: left {string.Join(' ', bench.Files())}");
    }
}

public sealed class ReflinkCrashTests(XfsFileSystem fileSystem) : CrashTests("file-reflink", fileSystem), IClassFixture<XfsFileSystem>;

public sealed class Qcow2CrashTests(Ext4FileSystem fileSystem) : CrashTests("file-qcow2", fileSystem), IClassFixture<Ext4FileSystem>;
