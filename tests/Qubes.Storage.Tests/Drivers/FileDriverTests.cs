using Qubes.Protocol.Errors;

namespace Qubes.Storage.Tests;

/// <summary>What both file drivers must do, on real files.</summary>
public abstract partial class FileDriverTests(string driver, ScratchFileSystem fileSystem)
{
    private protected Task<PoolBench> BenchAsync() => PoolBench.CreateAsync(driver, fileSystem.NewDirectory());

    [Fact]
    public async Task A_new_volume_is_all_zeros_and_of_its_size()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await volume.VerifyAsync();

        await using (VolumeExport export = await volume.ExportAsync())
        {
            Assert.Equal(PoolBench.Size, new FileInfo(export.Path).Length);
            Assert.Equal(0, Guest.ReadRaw(export.Path, 3));
        }

        Assert.Equal(PoolBench.Size, (await volume.GetStatusAsync()).Size);
        bench.AssertNothingLeaked();
    }

    [Fact]
    public async Task Creating_over_existing_data_is_refused_and_the_data_stays()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await PoolBench.SessionAsync(volume, 0, 7);

        QubesException refused = await Assert.ThrowsAsync<QubesException>(() => volume.CreateAsync());

        Assert.Equal(QubesErrorNames.StoragePool, refused.WireName);
        Assert.Equal([7], await Guest.CommittedAsync(volume, 1));
    }

    [Fact]
    public async Task A_missing_image_fails_verification()
    {
        PoolBench bench = await BenchAsync();
        await Assert.ThrowsAsync<QubesException>(() => bench.Origin().VerifyAsync());
        await Assert.ThrowsAsync<QubesException>(() => bench.Snapshot(bench.Origin()).VerifyAsync());
    }

    [Fact]
    public async Task What_a_run_writes_is_committed_at_stop_and_the_former_state_becomes_a_revision()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await PoolBench.SessionAsync(volume, 1, 11);
        await PoolBench.SessionAsync(volume, 2, 22);

        Assert.Equal([0, 11, 22, 0], await Guest.CommittedAsync(volume, 4));
        Assert.Equal(2, (await volume.ListRevisionsAsync()).Count);
        Assert.False((await volume.GetStatusAsync()).IsDirty);
        bench.AssertNothingLeaked();
    }

    [Fact]
    public async Task A_run_that_writes_nothing_makes_no_revision()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await volume.StartAsync();
        Assert.True((await volume.GetStatusAsync()).IsDirty);
        await volume.StopAsync();

        Assert.Empty(await volume.ListRevisionsAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Only_the_newest_revisions_are_kept(int keep)
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin(revisions: keep);
        await volume.CreateAsync();
        for (byte i = 1; i <= 5; i++)
        {
            await PoolBench.SessionAsync(volume, i, i);
        }

        Assert.Equal(keep, (await volume.ListRevisionsAsync()).Count);
        Assert.Equal([0, 1, 2, 3, 4, 5], await Guest.CommittedAsync(volume, 6));
        // Per kept state at most an image, plus head, base, list or ready-made copy.
        Assert.InRange(bench.Files().Length, 1, keep + 3);
        bench.AssertNothingLeaked();
    }

    [Fact]
    public async Task A_revision_can_be_gone_back_to_and_the_content_it_replaces_becomes_one()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin(revisions: 3);
        await volume.CreateAsync();
        await PoolBench.SessionAsync(volume, 0, 1);
        await PoolBench.SessionAsync(volume, 0, 2);
        await PoolBench.SessionAsync(volume, 0, 3);
        IReadOnlyList<VolumeRevision> before = await volume.ListRevisionsAsync();

        await volume.RevertAsync(before[1].Id);

        Assert.Equal([1], await Guest.CommittedAsync(volume, 1));
        IReadOnlyList<VolumeRevision> after = await volume.ListRevisionsAsync();
        Assert.DoesNotContain(before[1].Id, after.Select(revision => revision.Id));
        Assert.Equal(3, after.Count);
        await volume.RevertAsync(null);
        Assert.Equal([3], await Guest.CommittedAsync(volume, 1));
        await PoolBench.SessionAsync(volume, 1, 9);
        Assert.Equal([3, 9], await Guest.CommittedAsync(volume, 2));
        bench.AssertNothingLeaked();
    }

    [Fact]
    public async Task Reverting_is_refused_while_started_and_for_unknown_revisions()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await PoolBench.SessionAsync(volume, 0, 1);

        await Assert.ThrowsAsync<QubesException>(() => volume.RevertAsync("77"));
        await Assert.ThrowsAsync<QubesException>(() => volume.RevertAsync("../../etc"));
        await volume.StartAsync();
        await Assert.ThrowsAsync<QubesException>(() => volume.RevertAsync(null));
    }

    [Fact]
    public async Task Changes_of_a_run_that_never_stopped_are_taken_up_again()
    {
        string directory = fileSystem.NewDirectory();
        PoolBench bench = await PoolBench.CreateAsync(driver, directory);
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await volume.StartAsync();
        await Guest.WriteAsync(volume.BlockDevice!, 0, 5);

        PoolBench later = PoolBench.Reopen(driver, directory);
        await later.Storage.RecoverAsync();
        Volume again = later.Origin();
        await again.StartAsync();

        Assert.Equal(5, await Guest.ReadAsync(again.BlockDevice!, 0));
        Assert.Equal([0], await Guest.CommittedAsync(again, 1));
        await again.StopAsync();
        Assert.Equal([5], await Guest.CommittedAsync(again, 1));
    }

    [Fact]
    public async Task A_snapshot_sees_the_committed_state_and_keeps_its_view_while_the_source_moves_on()
    {
        PoolBench bench = await BenchAsync();
        Volume template = bench.Origin("vm-templates/base", "root", revisions: 0);
        await template.CreateAsync();
        await PoolBench.SessionAsync(template, 0, 1);
        Volume root = bench.Snapshot(template);

        await root.StartAsync();
        Assert.Equal(1, await Guest.ReadAsync(root.BlockDevice!, 0));
        Assert.Equal(false, (await root.GetStatusAsync()).IsOutdated);
        for (byte i = 2; i <= 5; i++)
        {
            await PoolBench.SessionAsync(template, 0, i);
            await PoolBench.SessionAsync(template, i, i);
        }

        Assert.Equal(1, await Guest.ReadAsync(root.BlockDevice!, 0));
        Assert.Equal(0, await Guest.ReadAsync(root.BlockDevice!, 3));
        Assert.Equal(true, (await root.GetStatusAsync()).IsOutdated);

        await root.StopAsync();
        await root.StartAsync();
        Assert.Equal(5, await Guest.ReadAsync(root.BlockDevice!, 0));
        Assert.Equal(3, await Guest.ReadAsync(root.BlockDevice!, 3));
        Assert.Equal(false, (await root.GetStatusAsync()).IsOutdated);
        await root.StopAsync();
        bench.AssertNothingLeaked();
    }

    [Fact]
    public async Task What_a_snapshot_writes_is_gone_after_stop_and_never_reaches_the_source()
    {
        PoolBench bench = await BenchAsync();
        Volume template = bench.Origin("vm-templates/base", "root");
        await template.CreateAsync();
        await PoolBench.SessionAsync(template, 0, 1);
        Volume root = bench.Snapshot(template);

        await PoolBench.SessionAsync(root, 0, 99);
        Assert.Equal([1], await Guest.CommittedAsync(template, 1));
        Assert.DoesNotContain(bench.Files(), file => file.StartsWith("appvms/other/", StringComparison.Ordinal));
        await root.StartAsync();
        Assert.Equal(1, await Guest.ReadAsync(root.BlockDevice!, 0));
        await root.StopAsync();
    }

    [Fact]
    public async Task A_snapshot_left_by_a_crash_is_taken_anew()
    {
        PoolBench bench = await BenchAsync();
        Volume template = bench.Origin("vm-templates/base", "root");
        await template.CreateAsync();
        Volume root = bench.Snapshot(template);
        await root.StartAsync();
        await Guest.WriteAsync(root.BlockDevice!, 0, 99);

        await root.StartAsync();

        Assert.Equal(0, await Guest.ReadAsync(root.BlockDevice!, 0));
        await root.StopAsync();
    }

    [Fact]
    public async Task A_volatile_volume_is_empty_at_each_start()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Volatile();
        await volume.CreateAsync();
        await volume.StartAsync();
        await Guest.WriteAsync(volume.BlockDevice!, 0, 1);
        await volume.StopAsync();
        Assert.Empty(bench.Files());

        await volume.StartAsync();
        Assert.Equal(0, await Guest.ReadAsync(volume.BlockDevice!, 0));
        await volume.StopAsync();
    }

    [Fact]
    public async Task A_halted_volume_grows_and_shrinks_and_keeps_what_fits()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await PoolBench.SessionAsync(volume, 0, 1);
        await PoolBench.SessionAsync(volume, 9, 9);

        Assert.Equal(ResizeOutcome.Done, await volume.ResizeAsync(2 * PoolBench.Size));
        Assert.Equal(2 * PoolBench.Size, (await volume.GetStatusAsync()).Size);
        await PoolBench.SessionAsync(volume, 20, 20);
        Assert.Equal(ResizeOutcome.Done, await volume.ResizeAsync(5 * Guest.Block));
        Assert.Equal(5 * Guest.Block, (await volume.GetStatusAsync()).Size);
        Assert.Equal([1, 0, 0, 0, 0], await Guest.CommittedAsync(volume, 5));
        await volume.ResizeAsync(PoolBench.Size);
        Assert.Equal(0, (await Guest.CommittedAsync(volume, 10))[9]);
        bench.AssertNothingLeaked();
    }

    [Fact]
    public async Task Resizing_a_source_leaves_the_view_of_a_running_snapshot()
    {
        PoolBench bench = await BenchAsync();
        Volume template = bench.Origin("vm-templates/base", "root", revisions: 0);
        await template.CreateAsync();
        await PoolBench.SessionAsync(template, 9, 9);
        Volume root = bench.Snapshot(template);
        await root.StartAsync();

        await template.ResizeAsync(2 * Guest.Block);

        Assert.Equal(9, await Guest.ReadAsync(root.BlockDevice!, 9));
        await root.StopAsync();
    }

    [Fact]
    public async Task The_hypervisor_must_be_told_when_a_running_volume_is_resized()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await volume.StartAsync();
        Assert.Equal(ResizeOutcome.HypervisorMustResize, await volume.ResizeAsync(2 * PoolBench.Size));
        await volume.StopAsync();
    }

    [Fact]
    public async Task Nothing_is_left_of_a_removed_volume()
    {
        PoolBench bench = await BenchAsync();
        Volume volume = bench.Origin();
        await volume.CreateAsync();
        await PoolBench.SessionAsync(volume, 0, 1);
        await volume.StartAsync();
        Volume neighbour = bench.Origin(name: "private2");
        await neighbour.CreateAsync();

        await volume.RemoveAsync();
        Assert.All(bench.Files(), file => Assert.Contains("private2", file, StringComparison.Ordinal));
        await neighbour.RemoveAsync();

        Assert.Empty(bench.Files());
        Assert.False(Directory.Exists(Path.Combine(bench.Directory, "appvms/work")));
        await volume.RemoveAsync();
    }
}
