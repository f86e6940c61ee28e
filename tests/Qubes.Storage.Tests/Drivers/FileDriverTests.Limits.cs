using Qubes.Protocol.Errors;

namespace Qubes.Storage.Tests;

/// <content>Concurrency, hostile names, full disks.</content>
public abstract partial class FileDriverTests
{
    [Fact]
    public async Task Operations_on_one_volume_exclude_each_other_over_all_handles()
    {
        PoolBench bench = await BenchAsync();
        await bench.Origin().CreateAsync();

        await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            Volume handle = bench.Origin();
            await handle.StartAsync();
            await handle.StopAsync();
            await handle.ResizeAsync((16 + i) * Guest.Block);
        }));

        await bench.Origin().VerifyAsync();
        bench.AssertNothingLeaked();
    }

    [Fact]
    public async Task A_link_planted_in_place_of_a_qubes_directory_leads_nowhere()
    {
        PoolBench bench = await BenchAsync();
        string outside = Directory.CreateTempSubdirectory("qubes-outside-").FullName;
        try
        {
            Directory.CreateSymbolicLink(Path.Combine(bench.Directory, "appvms/work"), outside);
            await Assert.ThrowsAsync<QubesException>(() => bench.Origin().CreateAsync());
            Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
        }
        finally
        {
            Directory.Delete(outside);
        }
    }

    [Theory]
    [InlineData("../work/private")]
    [InlineData("appvms/../private")]
    [InlineData("appvms/work/a/b")]
    [InlineData("/etc/passwd")]
    [InlineData("appvms/work/private-dirty")]
    [InlineData("appvms/work/.hidden")]
    [InlineData("appvms/-rf/private")]
    public async Task Ids_that_are_no_ids_are_refused(string vid)
    {
        PoolBench bench = await BenchAsync();
        Assert.Throws<QubesException>(() => bench.Storage.Open(bench.Origin().Config with { Vid = vid }));
    }

    [Fact]
    public async Task A_full_disk_fails_the_import_and_leaves_the_old_state()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await PoolBench.SessionAsync(volume, 0, 1);
        string big = Path.GetTempFileName();
        try
        {
            await using (FileStream file = new(big, FileMode.Create))
            {
                byte[] noise = new byte[1 << 20];
                new Random(1).NextBytes(noise);
                for (int i = 0; i < 600; i++)
                {
                    await file.WriteAsync(noise);
                }
            }

            await using PoolSource source = new(big);
            QubesException refused = await Assert.ThrowsAsync<QubesException>(() => volume.ImportVolumeAsync(source.Volume));
            Assert.Equal(QubesErrorNames.StoragePool, refused.WireName);
        }
        finally
        {
            File.Delete(big);
        }

        Assert.Equal([1], await Guest.CommittedAsync(volume, 1));
        bench.AssertNothingLeaked();

        // btrfs gives the room of a removed file back with its next transaction.
        await Programs.RunAsync("sync", "-f", bench.Directory);
        await PoolBench.SessionAsync(volume, 0, 2);
        Assert.Equal([2], await Guest.CommittedAsync(volume, 1));
    }

    [Fact]
    public async Task The_pool_lists_its_volumes_and_its_space()
    {
        PoolBench bench = await BenchAsync();
        await bench.Origin().CreateAsync();
        await bench.Origin("vm-templates/base", "root").CreateAsync();

        Pool pool = bench.Storage.Find("bench");
        Assert.Equal(["appvms/work/private", "vm-templates/base/root"], await pool.ListVidsAsync());
        PoolUsage usage = (await pool.GetUsageAsync())!.Value;
        Assert.InRange(usage.Used, 1, usage.Size);
    }
}
