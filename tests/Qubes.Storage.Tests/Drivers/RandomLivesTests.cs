using CsCheck;

namespace Qubes.Storage.Tests;

/// <summary>
/// Random lives of a volume against a plain model of its content: whatever order of runs, crashes, snapshots, revisions and resizes,
/// everybody sees exactly the blocks they should.
/// </summary>
public abstract class RandomLivesTests(string driver, ScratchFileSystem fileSystem)
{
    private const int Blocks = 6;

    private enum Step
    {
        Session,
        CrashedSession,
        StartSnapshot,
        StopSnapshot,
        Revert,
        Grow,
        Shrink,
        CheckSnapshot,
    }

    private static readonly Gen<(Step Step, int Block, byte Value)[]> Lives =
        Gen.Select(Gen.Enum<Step>(), Gen.Int[0, Blocks - 1], Gen.Byte[1, 255]).Array[4, 14];

    [Fact]
    public async Task Everybody_sees_what_they_should()
    {
        // Each life costs dozens of file operations and programs; few lives, each long, and the seed is printed on failure.
        string? unavailable = null;
        await Lives.SampleAsync(
            async life =>
            {
                string? directory = fileSystem.TryNewDirectory(out unavailable);
                if (directory is not null)
                {
                    await LiveAsync(await PoolBench.CreateAsync(driver, directory), life);
                }
            },
            iter: 25,
            threads: 1);
        Assert.SkipWhen(unavailable is not null, unavailable ?? "");
    }

    private static async Task LiveAsync(PoolBench bench, (Step Step, int Block, byte Value)[] life)
    {
        Volume volume = bench.Origin(revisions: 2, size: Blocks * Guest.Block);
        await volume.CreateAsync();
        Volume snapshot = bench.Snapshot(volume);
        byte[] content = new byte[Blocks];
        byte[]? seen = null;
        List<byte[]> revisions = [];
        foreach ((Step step, int block, byte value) in life)
        {
            switch (step)
            {
                case Step.Session or Step.CrashedSession when block < content.Length:
                    await volume.StartAsync();
                    await Guest.WriteAsync(volume.BlockDevice!, block, value);
                    if (step == Step.CrashedSession)
                    {
                        await volume.StartAsync();
                    }

                    await volume.StopAsync();
                    Keep(revisions, content);
                    content = [.. content];
                    content[block] = value;
                    break;
                case Step.StartSnapshot:
                    await snapshot.StartAsync();
                    seen = content;
                    break;
                case Step.StopSnapshot:
                    await snapshot.StopAsync();
                    seen = null;
                    break;
                case Step.Revert when revisions.Count > 0:
                    await volume.RevertAsync(null);
                    byte[] reverted = revisions[^1];
                    revisions[^1] = content;
                    content = reverted;
                    break;
                case Step.Grow or Step.Shrink:
                    int length = step == Step.Grow ? Blocks + 2 : Blocks / 2;
                    await volume.ResizeAsync(length * Guest.Block);
                    content = [.. content.Take(length), .. new byte[Math.Max(0, length - content.Length)]];
                    break;
            }

            await CheckAsync(volume, content);
            if (seen is not null)
            {
                byte[] view = [.. await Task.WhenAll(Enumerable.Range(0, seen.Length).Select(i => Guest.ReadAsync(snapshot.BlockDevice!, i)))];
                Assert.Equal(seen, view);
            }
        }

        Assert.Equal(revisions.Count, (await volume.ListRevisionsAsync()).Count);
        await snapshot.StopAsync();
        bench.AssertNothingLeaked();
        await volume.RemoveAsync();
        Assert.Empty(bench.Files());
    }

    private static async Task CheckAsync(Volume volume, byte[] content)
    {
        Assert.Equal((long)content.Length * Guest.Block, (await volume.GetStatusAsync()).Size);
        Assert.Equal(content, await Guest.CommittedAsync(volume, content.Length));
    }

    private static void Keep(List<byte[]> revisions, byte[] content)
    {
        revisions.Add(content);
        if (revisions.Count > 2)
        {
            revisions.RemoveAt(0);
        }
    }
}

public sealed class ReflinkRandomLivesTests(XfsFileSystem fileSystem) : RandomLivesTests("file-reflink", fileSystem), IClassFixture<XfsFileSystem>;

public sealed class Qcow2RandomLivesTests(Ext4FileSystem fileSystem) : RandomLivesTests("file-qcow2", fileSystem), IClassFixture<Ext4FileSystem>;
