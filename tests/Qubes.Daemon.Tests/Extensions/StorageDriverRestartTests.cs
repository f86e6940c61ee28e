namespace Qubes.Daemon.Tests.Extensions;

/// <summary>The daemon ends and starts again, with and without the program that runs a storage driver.</summary>
public sealed class StorageDriverRestartTests
{
    private const string Private = "appvms/work/private";

    [Fact]
    public async Task Without_its_program_a_pool_is_kept_and_with_it_works_again()
    {
        using ScratchRoot root = new();
        PlainPool.Install(root);
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await PlainPool.CreateAsync(daemon);
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.AppVM", "debian", payload: "name=other label=red"));
            Assert.True((await daemon.Process.StopAsync()).IsSuccess);
        }

        PlainPool.Uninstall(root);
        string[] kept = [.. PoolLines(root)];
        Assert.NotEmpty(kept);
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            Assert.DoesNotContain("plain-dir", await daemon.CallAsync("admin.pool.ListDrivers"), StringComparison.Ordinal);
            string error = $"2\0StoragePoolException\0\0{PlainPool.Missing}\0";
            foreach ((string method, string argument, string payload) in ((string, string, string)[])
                [("volume.Info", "private", ""), ("volume.ListSnapshots", "private", ""), ("volume.Resize", "private", "5"), ("volume.Clear", "private", ""), ("Start", "", "")])
            {
                Assert.Equal(error, await daemon.CallAsync("admin.vm." + method, argument, "work", payload));
            }

            Assert.Equal(error, await daemon.CallAsync("admin.pool.volume.List", PlainPool.Name));
            Assert.Equal(error, await daemon.CallAsync("admin.pool.Set.revisions_to_keep", PlainPool.Name, payload: "3"));
            Assert.Equal($"0\0dir_path={PlainPool.DirectoryOf(root)}\ndriver=plain-dir\nephemeral_volatile=False\nname=plain\nrevisions_to_keep=1\n",
                await daemon.CallAsync("admin.pool.Info", PlainPool.Name));
            Assert.Equal("2\0PermissionDenied\0\0Argument not in 'available drivers'\0",
                await daemon.CallAsync("admin.pool.Add", "plain-dir", payload: "name=more\ndir_path=/x\n"));

            // What needs no data of it goes on, and what is of other pools.
            Assert.Equal("0\0root\nprivate\nvolatile\nkernel\n", await daemon.CallAsync("admin.vm.volume.List", destination: "work"));
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.property.Set", "memory", "work", "500"));
            Assert.StartsWith("0\0pool=varlibqubes\n", await daemon.CallAsync("admin.vm.volume.Info", "private", "other"), StringComparison.Ordinal);
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.TemplateVM", payload: "name=fedora label=black"));
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "fedora"));

            // Nothing was made where nothing can be made: the name is free.
            Assert.Equal(error, await daemon.CallAsync("admin.vm.CreateInPool.AppVM", "fedora", payload: $"name=more label=red pool={PlainPool.Name}"));
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.AppVM", "fedora", payload: "name=more label=red"));
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Remove", destination: "other"));
            Assert.True((await daemon.Process.StopAsync()).IsSuccess);
        }

        Assert.Equal(kept, PoolLines(root));
        PlainPool.Install(root);
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
            Assert.Equal("0\0appvms/work/private\nvm-templates/debian/private\nvm-templates/debian/root\n", await daemon.CallAsync("admin.pool.volume.List", PlainPool.Name));
        }
    }

    [Fact]
    public async Task Data_of_a_qube_removed_without_the_program_goes_when_it_comes()
    {
        using ScratchRoot root = new();
        await PlainPool.LeaveAsync(root);
        PlainPool.Uninstall(root);
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Remove", destination: "work"));
            Assert.True(File.Exists(Path.Combine(PlainPool.DirectoryOf(root), Private + ".img")));

            // Nobody gets the data of a former qube.
            Assert.Equal($"2\0StoragePoolException\0\0What is left of a former qube of that name cannot be removed: {PlainPool.Missing}\0",
                await daemon.CallAsync("admin.vm.CreateInPool.AppVM", "debian", payload: $"name=work label=red pool={PlainPool.Name}"));
            Assert.True((await daemon.Process.StopAsync()).IsSuccess);
        }

        PlainPool.Install(root);
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await daemon.CallUntilAsync("0\0vm-templates/debian/private\nvm-templates/debian/root\n", "admin.pool.volume.List", PlainPool.Name);
            await PlainPool.WaitAsync(() => PlainPool.IntentsOf(root).Length == 0);
        }
    }

    [Fact]
    public async Task With_its_pool_removed_what_is_left_of_a_qube_stays_and_its_name_is_free()
    {
        using ScratchRoot root = new();
        await PlainPool.LeaveAsync(root);
        PlainPool.Uninstall(root);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Remove", destination: "work"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Remove", destination: "debian"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.pool.Remove", PlainPool.Name));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.TemplateVM", payload: "name=debian label=black"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.AppVM", "debian", payload: "name=work label=red"));
        Assert.Empty(PlainPool.IntentsOf(root));
        Assert.Equal("img", PlainPool.FilesOf(root, Private));
    }

    [Fact]
    public async Task What_it_refuses_to_remove_when_it_comes_is_tried_again()
    {
        using ScratchRoot root = new();
        await PlainPool.LeaveAsync(root);
        PlainPool.Uninstall(root);
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Remove", destination: "work"));
            Assert.True((await daemon.Process.StopAsync()).IsSuccess);
        }

        string done = PlainPool.InstallFaulty(root, "volume.remove", "refuse");
        await using (await RunningDaemon.StartAsync(root))
        {
            await PlainPool.WaitAsync(() => PlainPool.IntentsOf(root).Length == 0);
            Assert.Equal("", PlainPool.FilesOf(root, Private));
            Assert.True(File.Exists(done));
        }
    }

    [Theory]
    [InlineData("qube-data-announced")]
    [InlineData("create-volumes-made")]
    [InlineData("create-done")]
    public async Task A_daemon_killed_over_a_creation_leaves_nothing(string point)
    {
        using ScratchRoot root = new();
        await PlainPool.LeaveAsync(root);
        await using (QubesdProcess daemon = await QubesdProcess.StartAsync(root, point))
        {
            Assert.Null(await daemon.TryCallAsync("admin.vm.CreateInPool.AppVM", argument: "debian", payload: $"name=more label=red pool={PlainPool.Name}"));
            await daemon.Exited.WaitAsync(QubesdProcess.Patience);
        }

        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await daemon.CallUntilAsync("0\0appvms/work/private\nvm-templates/debian/private\nvm-templates/debian/root\n", "admin.pool.volume.List", PlainPool.Name);
            await daemon.CallUntilAsync("0\0", "admin.vm.CreateInPool.AppVM", "debian", payload: $"name=more label=red pool={PlainPool.Name}");
        }
    }

    [Theory]
    [InlineData("remove-committed")]
    [InlineData("remove-volumes-deleted")]
    public async Task A_daemon_killed_over_a_removal_finishes_it(string point)
    {
        using ScratchRoot root = new();
        await PlainPool.LeaveAsync(root);
        await using (QubesdProcess daemon = await QubesdProcess.StartAsync(root, point))
        {
            Assert.Null(await daemon.TryCallAsync("admin.vm.Remove", "work"));
            await daemon.Exited.WaitAsync(QubesdProcess.Patience);
        }

        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await daemon.CallUntilAsync("0\0vm-templates/debian/private\nvm-templates/debian/root\n", "admin.pool.volume.List", PlainPool.Name);
        }
    }

    /// <summary>With libvirt's driver for tests the domains go with the daemon, as in a power cut.</summary>
    [Theory]
    [InlineData("start-volumes-started")]
    [InlineData("start-done")]
    [InlineData(null)]
    public async Task What_ran_when_the_daemon_was_killed_is_committed(string? point)
    {
        using ScratchRoot root = new();
        PlainPool.Install(root);
        string path = Path.Combine(PlainPool.DirectoryOf(root), Private);
        await using (QubesdProcess daemon = await QubesdProcess.StartAsync(root, point))
        {
            await daemon.CallAsync("admin.pool.Add", argument: "plain-dir", payload: $"name={PlainPool.Name}\ndir_path={PlainPool.DirectoryOf(root)}\n");
            await daemon.CallAsync("admin.vm.CreateInPool.TemplateVM", payload: $"name=debian label=black pool={PlainPool.Name}");
            await daemon.CallAsync("admin.vm.CreateInPool.AppVM", argument: "debian", payload: $"name=work label=red pool={PlainPool.Name}");
            AdminAnswer? answer = await daemon.TryCallAsync("admin.vm.Start", "work");
            Assert.Equal(point is null, answer is { IsSuccess: true });
            await PlainPool.WriteAsync(path + ".work", "mine");
            if (point is null)
            {
                await daemon.KillAsync();
            }

            await daemon.Exited.WaitAsync(QubesdProcess.Patience);
        }

        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await PlainPool.WaitAsync(() => PlainPool.FilesOf(root, Private) == "img rev-1" && PlainPool.FilesOf(root, "appvms/work/root").Length == 0);
            Assert.Equal("mine", await PlainPool.ReadAsync(path + ".img"));
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        }
    }

    /// <summary>Nothing of it is known to a running qube: its disk is open.</summary>
    [Fact]
    public async Task A_program_that_is_started_anew_leaves_running_qubes_alone()
    {
        using ScratchRoot root = new();
        string done = PlainPool.InstallFaulty(root, "volume.revisions", "before");
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await PlainPool.CreateAsync(daemon);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        string path = Path.Combine(PlainPool.DirectoryOf(root), Private);
        await PlainPool.WriteAsync(path + ".work", "mine");
        Assert.StartsWith("2\0StoragePoolException", await daemon.CallAsync("admin.vm.volume.ListSnapshots", "private", "work"), StringComparison.Ordinal);
        Assert.True(File.Exists(done));
        await daemon.CallUntilAsync("0\0", "admin.vm.volume.ListSnapshots", "private", "work");
        // What follows its return has been done by now, or a stop would find it done.
        Assert.Equal("img work", PlainPool.FilesOf(root, Private));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Kill", destination: "work"));
        Assert.Equal("mine", await PlainPool.ReadAsync(path + ".img"));
    }

    private static IEnumerable<string> PoolLines(ScratchRoot root) => File.ReadLines(root.Paths.StoreFile)
        .Where(line => line.Contains("\"plain\"", StringComparison.Ordinal) && !line.Contains("appvms/other/", StringComparison.Ordinal));
}
