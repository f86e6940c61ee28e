using Qubes.Protocol.Errors;

namespace Qubes.Storage.Tests;

/// <summary>Content that comes from elsewhere, and goes there.</summary>
public abstract partial class FileDriverTests
{
    [Fact]
    public async Task An_export_shows_the_state_before_the_start_and_does_not_change()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin(revisions: 0);
        await volume.CreateAsync();
        await PoolBench.SessionAsync(volume, 0, 1);
        await volume.StartAsync();
        await Guest.WriteAsync(volume.BlockDevice!, 0, 2);
        await using (VolumeExport export = await volume.ExportAsync())
        {
            Assert.Equal(1, Guest.ReadRaw(export.Path, 0));
            await volume.StopAsync();
            await PoolBench.SessionAsync(volume, 0, 3);
            await PoolBench.SessionAsync(volume, 0, 4);
            Assert.Equal(1, Guest.ReadRaw(export.Path, 0));
        }

        Assert.Equal([4], await Guest.CommittedAsync(volume, 1));
        bench.AssertNothingLeaked();
    }

    [Fact]
    public async Task An_import_replaces_the_content_only_when_it_ends_well()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await PoolBench.SessionAsync(volume, 0, 1);

        string path = await volume.ImportBeginAsync(2 * Guest.Block);
        Assert.Equal(2 * Guest.Block, new FileInfo(path).Length);
        await File.WriteAllBytesAsync(path, Enumerable.Repeat((byte)8, Guest.Block).ToArray());
        await volume.ImportEndAsync(success: false);
        Assert.Equal([1], await Guest.CommittedAsync(volume, 1));

        path = await volume.ImportBeginAsync(2 * Guest.Block);
        await Guest.WriteAsync(new BlockDevice("x", path, DiskFormat.Raw, true, true), 1, 8);
        await volume.ImportEndAsync(success: true);
        Assert.Equal([0, 8], await Guest.CommittedAsync(volume, 2));
        Assert.Equal(2 * Guest.Block, (await volume.GetStatusAsync()).Size);
        await Assert.ThrowsAsync<QubesException>(() => volume.ImportEndAsync(success: true));

        await volume.RevertAsync(null);
        Assert.Equal([1], await Guest.CommittedAsync(volume, 1));
        await PoolBench.SessionAsync(volume, 1, 3);
        Assert.Equal([1, 3], await Guest.CommittedAsync(volume, 2));
        bench.AssertNothingLeaked();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(-1)]
    public async Task The_content_of_a_running_qube_is_not_replaced(int revisionsToKeep)
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin(revisions: revisionsToKeep);
        await volume.CreateAsync();
        Volume other = bench.Origin("appvms/other");
        await other.CreateAsync();
        string begun = await volume.ImportBeginAsync(PoolBench.Size);
        await volume.StartAsync();

        string expected = $"Volume {volume.Vid} must be stopped before its data is replaced";
        Assert.Equal(expected, (await Assert.ThrowsAsync<QubesException>(() => volume.ImportBeginAsync(PoolBench.Size))).Message);
        Assert.Equal(expected, (await Assert.ThrowsAsync<QubesException>(() => volume.ImportEndAsync(success: true))).Message);
        Assert.Equal(expected, (await Assert.ThrowsAsync<QubesException>(() => volume.ImportVolumeAsync(other))).Message);
        await volume.ImportEndAsync(success: false);
        Assert.False(File.Exists(begun));

        await Guest.WriteAsync(volume.BlockDevice!, 1, 5);
        await volume.StopAsync();
        Assert.Equal([0, 5], await Guest.CommittedAsync(volume, 2));
        bench.AssertNothingLeaked();
    }

    [Theory]
    [InlineData("file-reflink")]
    [InlineData("file-qcow2")]
    public async Task Content_can_be_taken_over_from_a_volume_of_any_pool(string otherDriver)
    {
        PoolBench bench = await BenchAsync();
        string otherDirectory = Directory.CreateTempSubdirectory("qubes-other-").FullName;
        try
        {
            bench.Storage.Add(new Model.Volumes.PoolConfig
            {
                Name = "other", Driver = otherDriver, Options = [new("dir_path", otherDirectory), .. otherDriver == "file-reflink" ? (KeyValuePair<string, string>[])[new("setup_check", "False")] : []],
            });
            Volume source = bench.Storage.Open(bench.Origin().Config with { Pool = "other" });
            await source.CreateAsync();
            await PoolBench.SessionAsync(source, 0, 1);
            await PoolBench.SessionAsync(source, 5, 2);
            Volume target = bench.Origin("appvms/copy");
            await target.CreateAsync();

            await target.ImportVolumeAsync(source);

            Assert.Equal([1, 0, 0, 0, 0, 2], await Guest.CommittedAsync(target, 6));
            bench.AssertNothingLeaked();
        }
        finally
        {
            Directory.Delete(otherDirectory, recursive: true);
        }
    }
}
