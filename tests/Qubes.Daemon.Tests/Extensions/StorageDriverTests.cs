using System.Globalization;

namespace Qubes.Daemon.Tests.Extensions;

/// <summary>A storage driver that is a program: everything that is done with pools and volumes, on the worked example.</summary>
public sealed class StorageDriverTests
{
    private const string Private = "appvms/work/private";

    [Fact]
    public async Task Its_pools_are_listed_added_described_set_and_removed()
    {
        using ScratchRoot root = new();
        PlainPool.Install(root);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        string directory = PlainPool.DirectoryOf(root);
        Assert.Contains("\nplain-dir dir_path revisions_to_keep ephemeral_volatile\n", await daemon.CallAsync("admin.pool.ListDrivers"), StringComparison.Ordinal);
        Assert.Equal("2\0QubesException\0\0missing required driver options: dir_path\0", await daemon.CallAsync("admin.pool.Add", "plain-dir", payload: "name=p\n"));
        Assert.Equal("2\0StoragePoolException\0\0dir_path must be an absolute path without spaces\0",
            await daemon.CallAsync("admin.pool.Add", "plain-dir", payload: "name=p\ndir_path=here\n"));
        await PlainPool.AddAsync(daemon);

        string[] info = (await daemon.CallAsync("admin.pool.Info", PlainPool.Name)).Split('\n');
        Assert.Equal(["0\0dir_path=" + directory, "driver=plain-dir", "ephemeral_volatile=False", "name=plain", "revisions_to_keep=1"], info[..5]);
        Assert.True(long.Parse(info[5]["size=".Length..], CultureInfo.InvariantCulture) > 0);
        Assert.StartsWith("usage=", info[6], StringComparison.Ordinal);
        Assert.StartsWith("0\0data_size=", await daemon.CallAsync("admin.pool.UsageDetails", PlainPool.Name), StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync("admin.pool.volume.List", PlainPool.Name));
        Assert.Equal("0\0", await daemon.CallAsync("admin.pool.Set.revisions_to_keep", PlainPool.Name, payload: "3"));
        Assert.Contains("\nrevisions_to_keep=3\n", await daemon.CallAsync("admin.pool.Info", PlainPool.Name), StringComparison.Ordinal);

        Assert.Equal("0\0", await daemon.CallAsync("admin.pool.Remove", PlainPool.Name));
        Assert.True(Directory.Exists(directory));
        // Another pool of the same place: the driver was told of the end of the first.
        Assert.Equal("0\0", await daemon.CallAsync("admin.pool.Add", "plain-dir", payload: $"name=again\ndir_path={directory}\n"));
    }

    [Fact]
    public async Task A_qube_lives_on_it()
    {
        using ScratchRoot root = new();
        PlainPool.Install(root);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await PlainPool.CreateAsync(daemon);
        string directory = PlainPool.DirectoryOf(root);
        string work = Path.Combine(directory, Private + ".work");
        Assert.Equal("0\0appvms/work/private\nvm-templates/debian/private\nvm-templates/debian/root\n", await daemon.CallAsync("admin.pool.volume.List", PlainPool.Name));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        Assert.Equal("img work", PlainPool.FilesOf(root, Private));
        Assert.Equal("base work", PlainPool.FilesOf(root, "appvms/work/root"));
        Assert.Equal("work", PlainPool.FilesOf(root, "appvms/work/volatile"));
        await PlainPool.WriteAsync(work, "first");
        Assert.Equal(
            $"0\0pool=plain\nvid={Private}\nsize=2147483648\nusage={await UsageAsync(daemon)}\nrw=True\nsource=\npath={work}\nsave_on_stop=True\n"
            + "snap_on_start=False\nrevisions_to_keep=1\nephemeral=False\n",
            await daemon.CallAsync("admin.vm.volume.Info", "private", "work"));

        // Committed by the stop; the former state becomes a revision.
        await StopAsync(daemon, "work");
        Assert.Equal("img rev-1", PlainPool.FilesOf(root, Private));
        Assert.Equal("", PlainPool.FilesOf(root, "appvms/work/root"));
        Assert.Equal("0\0" + "1\n", await daemon.CallAsync("admin.vm.volume.ListSnapshots", "private", "work"));

        // A run that wrote nothing makes none.
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        await StopAsync(daemon, "work");
        Assert.Equal("img rev-1", PlainPool.FilesOf(root, Private));
        Assert.Equal("first", await PlainPool.ReadAsync(Path.Combine(directory, Private + ".img")));

        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.volume.Revert", "private", "work", "1"));
        Assert.Equal("", await PlainPool.ReadAsync(Path.Combine(directory, Private + ".img")));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.volume.Revert", "private", "work", "2"));
        Assert.Equal("first", await PlainPool.ReadAsync(Path.Combine(directory, Private + ".img")));
        Assert.Equal("2\0StoragePoolException\0\0Volume appvms/work/private has no such revision\0",
            await daemon.CallAsync("admin.vm.volume.Revert", "private", "work", "9"));

        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Remove", destination: "work"));
        Assert.Equal("0\0vm-templates/debian/private\nvm-templates/debian/root\n", await daemon.CallAsync("admin.pool.volume.List", PlainPool.Name));
        Assert.Equal("", PlainPool.FilesOf(root, Private));
    }

    [Fact]
    public async Task A_qube_sees_its_template_as_it_was_at_its_start()
    {
        using ScratchRoot root = new();
        PlainPool.Install(root);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await PlainPool.CreateAsync(daemon);
        string directory = PlainPool.DirectoryOf(root);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        Assert.Contains("is_outdated=False", await daemon.CallAsync("admin.vm.volume.Info", "root", "work"), StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "debian"));
        await PlainPool.WriteAsync(Path.Combine(directory, "vm-templates/debian/root.work"), "updated");
        Assert.Contains("is_outdated=False", await daemon.CallAsync("admin.vm.volume.Info", "root", "work"), StringComparison.Ordinal);
        await StopAsync(daemon, "debian");
        Assert.Contains("is_outdated=True", await daemon.CallAsync("admin.vm.volume.Info", "root", "work"), StringComparison.Ordinal);
        Assert.Equal("", await PlainPool.ReadAsync(Path.Combine(directory, "appvms/work/root.work")));
        await StopAsync(daemon, "work");
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        Assert.Equal("updated", await PlainPool.ReadAsync(Path.Combine(directory, "appvms/work/root.work")));
    }

    [Fact]
    public async Task Content_comes_from_streams_and_from_volumes_of_any_driver_and_goes_to_them()
    {
        using ScratchRoot root = new();
        PlainPool.Install(root);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await PlainPool.CreateAsync(daemon);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.AppVM", "debian", payload: "name=other label=red"));
        string image = Path.Combine(PlainPool.DirectoryOf(root), Private + ".img");
        string import = Path.Combine(PlainPool.DirectoryOf(root), Private + ".import");

        Assert.Equal("0\0" + $"4096 {import}", await ImportAsync(daemon, "internal.vm.volume.ImportBegin", "4096"));
        await PlainPool.WriteAsync(import, "stream");
        Assert.Equal("0\0", await ImportAsync(daemon, "internal.vm.volume.ImportEnd", "ok"));
        Assert.Equal("stream", await PlainPool.ReadAsync(image));
        Assert.Equal(4096, new FileInfo(image).Length);
        Assert.Equal("0\0" + $"4096 {import}", await ImportAsync(daemon, "internal.vm.volume.ImportBegin", ""));
        Assert.Equal("2\0QubesException\0\0Data import failed: gone\0", await ImportAsync(daemon, "internal.vm.volume.ImportEnd", "fail\ngone"));
        Assert.False(File.Exists(import));

        // Into another driver's pool, and back after it was cleared.
        await CloneAsync(daemon, "work", "other");
        Assert.Contains("\nsize=4096\n", await daemon.CallAsync("admin.vm.volume.Info", "private", "other"), StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.volume.Clear", "private", "work"));
        Assert.Equal("", await PlainPool.ReadAsync(image));
        await CloneAsync(daemon, "other", "work");
        Assert.Equal("stream", await PlainPool.ReadAsync(image));

        // Within the pool.
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.CreateInPool.AppVM", "debian", payload: $"name=third label=red pool={PlainPool.Name}"));
        await CloneAsync(daemon, "work", "third");
        Assert.Equal("stream", await PlainPool.ReadAsync(Path.Combine(PlainPool.DirectoryOf(root), "appvms/third/private.img")));
        Assert.Empty(Directory.GetFiles(PlainPool.DirectoryOf(root), "*.export-*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Sizes_and_settings_can_be_changed()
    {
        using ScratchRoot root = new();
        PlainPool.Install(root);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await PlainPool.CreateAsync(daemon);
        string path = Path.Combine(PlainPool.DirectoryOf(root), Private);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.volume.Resize", "private", "work", "3221225472"));
        Assert.Equal(3221225472, new FileInfo(path + ".img").Length);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.volume.Resize", "private", "work", "4294967296"));
        Assert.Equal((4294967296, 3221225472), (new FileInfo(path + ".work").Length, new FileInfo(path + ".img").Length));
        await StopAsync(daemon, "work");
        Assert.Equal(4294967296, new FileInfo(path + ".img").Length);

        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.volume.Set.revisions_to_keep", "private", "work", "0"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        await PlainPool.WriteAsync(path + ".work", "x");
        await StopAsync(daemon, "work");
        Assert.Equal("img", PlainPool.FilesOf(root, Private));

        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.volume.Set.rw", "private", "work", "False"));
        Assert.Contains("\nrw=False\n", await daemon.CallAsync("admin.vm.volume.Info", "private", "work"), StringComparison.Ordinal);
        Assert.Equal("2\0StoragePoolException\0\0Resize is not possible for volume appvms/work/private (plain-dir)\0",
            await daemon.CallAsync("admin.vm.volume.Resize", "private", "work", "5"));
        // This driver cannot encrypt.
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.volume.Set.ephemeral", "volatile", "work", "True"));
        Assert.Equal("2\0StoragePoolException\0\0Volume appvms/work/volatile is ephemeral, which the pool driver plain-dir does not support\0",
            await daemon.CallAsync("admin.vm.Start", destination: "work"));
    }

    private static async Task StopAsync(RunningDaemon daemon, string qube) =>
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Kill", destination: qube));

    private static Task<string> ImportAsync(RunningDaemon daemon, string method, string payload) =>
        Testing.RawClient.CallAsync(daemon.Paths.InternalSocket, $"{method}+private dom0 name work\0{payload}");

    private static async Task CloneAsync(RunningDaemon daemon, string from, string to)
    {
        string token = (await daemon.CallAsync("admin.vm.volume.CloneFrom", "private", from))[2..];
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.volume.CloneTo", "private", to, token));
    }

    private static async Task<string> UsageAsync(RunningDaemon daemon) =>
        (await daemon.CallAsync("admin.vm.volume.Info", "private", "work")).Split('\n').Single(line => line.StartsWith("usage=", StringComparison.Ordinal))["usage=".Length..];
}
