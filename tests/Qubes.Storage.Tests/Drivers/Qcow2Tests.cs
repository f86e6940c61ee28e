using Qubes.Protocol.Errors;

namespace Qubes.Storage.Tests;

public sealed class Qcow2OnExt4Tests(Ext4FileSystem fileSystem) : FileDriverTests("file-qcow2", fileSystem), IClassFixture<Ext4FileSystem>
{
    [Fact]
    public async Task The_probe_chooses_layers() => Assert.Equal("file-qcow2", await PoolDrivers.ChooseForAsync(fileSystem.NewDirectory()));

    [Fact]
    public async Task A_working_copy_whose_header_names_another_file_is_not_followed()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await PoolBench.SessionAsync(volume, 0, 1);
        await volume.StartAsync();
        await Programs.RunAsync("qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", volume.BlockDevice!.Path);

        await Assert.ThrowsAsync<QubesException>(() => volume.StopAsync());
        await Assert.ThrowsAsync<QubesException>(() => volume.StartAsync());

        Assert.Equal([1], await Guest.CommittedAsync(volume, 1));
    }

    [Fact]
    public async Task A_working_copy_whose_base_is_said_to_be_of_another_format_is_not_followed()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await volume.StartAsync();
        string backing = Path.Combine(bench.Directory, "appvms/work/private.1.img");
        Assert.True(File.Exists(backing));
        await Programs.RunAsync("qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", "private.1.img", volume.BlockDevice!.Path);

        await Assert.ThrowsAsync<QubesException>(() => volume.StopAsync());
    }

    [Fact]
    public async Task Images_of_ours_are_in_order_by_the_judgement_of_qemu()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await PoolBench.SessionAsync(volume, 0, 1);
        await PoolBench.SessionAsync(volume, 1, 2);
        await volume.ResizeAsync(PoolBench.Size * 3);
        await volume.StartAsync();

        foreach (string image in bench.Files().Where(file => file.EndsWith(".qcow2", StringComparison.Ordinal)))
        {
            await Programs.RunAsync("qemu-img", "check", "-f", "qcow2", Path.Combine(bench.Directory, image));
        }

        await volume.StopAsync();
    }
}
