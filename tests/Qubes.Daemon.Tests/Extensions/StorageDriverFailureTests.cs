using Qubes.Testing;

namespace Qubes.Daemon.Tests.Extensions;

/// <summary>A program that runs a storage driver dies, hangs or answers nonsense: what was asked fails, nothing is lost and nothing is left.</summary>
public sealed class StorageDriverFailureTests
{
    private const string Gone = "2\0StoragePoolException\0\0The extension disks, which runs the storage driver plain-dir, ";
    private const string Private = "appvms/work/private";

    [Theory]
    [InlineData("before")]
    [InlineData("after")]
    [InlineData("1")]
    [InlineData("2")]
    [InlineData("3")]
    public async Task A_creation_it_dies_over_leaves_nothing(string when)
    {
        using ScratchRoot root = new();
        string done = PlainPool.InstallFaulty(root, "volume.create", when);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await PlainPool.AddAsync(daemon);
        string create = $"name=debian label=black pool={PlainPool.Name}";
        Assert.StartsWith(Gone, await daemon.CallAsync("admin.vm.CreateInPool.TemplateVM", payload: create), StringComparison.Ordinal);
        Assert.True(File.Exists(done));
        await daemon.CallUntilAsync("0\0", "admin.pool.volume.List", PlainPool.Name);
        await daemon.CallUntilAsync("0\0", "admin.vm.CreateInPool.TemplateVM", payload: create);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Remove", destination: "debian"));
        AssertNothingLeft(root);
    }

    [Theory]
    [InlineData("before")]
    [InlineData("after")]
    [InlineData("1")]
    public async Task What_a_removal_it_dies_over_has_left_is_removed_when_it_is_back(string when)
    {
        using ScratchRoot root = new();
        string done = PlainPool.InstallFaulty(root, "volume.remove", when);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await PlainPool.CreateAsync(daemon);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Remove", destination: "work"));
        await daemon.CallUntilAsync("0\0vm-templates/debian/private\nvm-templates/debian/root\n", "admin.pool.volume.List", PlainPool.Name);
        Assert.True(File.Exists(done));
        await daemon.CallUntilAsync("0\0", "admin.vm.CreateInPool.AppVM", "debian", payload: $"name=work label=red pool={PlainPool.Name}");
        AssertNothingLeft(root);
    }

    [Fact]
    public async Task What_it_refuses_to_remove_is_tried_again()
    {
        using ScratchRoot root = new();
        string done = PlainPool.InstallFaulty(root, "volume.remove", "refuse");
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await PlainPool.CreateAsync(daemon);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Remove", destination: "work"));
        Assert.True(File.Exists(done));
        await PlainPool.WaitAsync(() => PlainPool.FilesOf(root, Private).Length == 0 && PlainPool.IntentsOf(root).Length == 0);
    }

    /// <summary>The worked example keeps the volumes of a qube in one folder, which goes with the last of them.</summary>
    [Fact]
    public async Task Volumes_of_a_qube_are_removed_at_the_same_time()
    {
        using ScratchRoot root = new();
        PlainPool.InstallFaulty(root, "volume.remove", "together");
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await PlainPool.AddAsync(daemon);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.CreateInPool.TemplateVM", payload: $"name=debian label=black pool={PlainPool.Name}"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Remove", destination: "debian"));
        AssertNothingLeft(root);
        Assert.False(Directory.Exists(Path.Combine(PlainPool.DirectoryOf(root), "vm-templates/debian")));
    }

    [Theory]
    [InlineData("before")]
    [InlineData("after")]
    [InlineData("2")]
    public async Task A_start_it_dies_over_fails_and_succeeds_later(string when)
    {
        using ScratchRoot root = new();
        string done = PlainPool.InstallFaulty(root, "volume.start", when);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await PlainPool.CreateAsync(daemon);
        Assert.StartsWith(Gone, await daemon.CallAsync("admin.vm.Start", destination: "work"), StringComparison.Ordinal);
        Assert.True(File.Exists(done));
        await daemon.CallUntilAsync("0\0", "admin.vm.Start", destination: "work");
    }

    /// <summary>At each change of the disk a commit makes.</summary>
    [Theory]
    [InlineData("before")]
    [InlineData("1")]
    [InlineData("2")]
    [InlineData("3")]
    [InlineData("4")]
    [InlineData("5")]
    [InlineData("after")]
    public async Task What_a_run_has_written_is_committed_whenever_it_dies(string when)
    {
        using ScratchRoot root = new();
        string done = PlainPool.InstallFaulty(root, "volume.stop", when);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await PlainPool.CreateAsync(daemon);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.volume.Set.revisions_to_keep", "private", "work", "2"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        string path = Path.Combine(PlainPool.DirectoryOf(root), Private);
        await PlainPool.WriteAsync(path + ".work", "mine");
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Kill", destination: "work"));
        await PlainPool.WaitAsync(() => !File.Exists(path + ".work") && PlainPool.FilesOf(root, "appvms/work/volatile").Length == 0);
        Assert.Equal("mine", await PlainPool.ReadAsync(path + ".img"));
        Assert.Equal("img rev-1", PlainPool.FilesOf(root, Private));
        Assert.True(File.Exists(done));
        await daemon.CallUntilAsync("0\0", "admin.vm.Start", destination: "work");
    }

    [Theory]
    [InlineData("volume.resize", "1")]
    [InlineData("volume.resize", "3")]
    [InlineData("volume.resize", "after")]
    [InlineData("volume.import", "1")]
    [InlineData("volume.import", "4")]
    [InlineData("volume.import", "after")]
    [InlineData("volume.revert", "1")]
    [InlineData("volume.revert", "after")]
    public async Task Content_it_dies_over_is_the_old_or_the_new(string method, string when)
    {
        using ScratchRoot root = new();
        string done = PlainPool.InstallFaulty(root, method, when);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await PlainPool.CreateAsync(daemon);
        string image = Path.Combine(PlainPool.DirectoryOf(root), Private + ".img");
        foreach (string content in (string[])["old", "now"])
        {
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
            await PlainPool.WriteAsync(image[..^3] + "work", content);
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Kill", destination: "work"));
        }

        string answer = method switch
        {
            "volume.resize" => await daemon.CallAsync("admin.vm.volume.Resize", "private", "work", "3221225472"),
            "volume.import" => await daemon.CallAsync("admin.vm.volume.CloneTo", "private", "work", (await daemon.CallAsync("admin.vm.volume.CloneFrom", "private", "debian"))[2..]),
            _ => await daemon.CallAsync("admin.vm.volume.Revert", "private", "work", "2"),
        };
        Assert.StartsWith(Gone, answer, StringComparison.Ordinal);
        Assert.True(File.Exists(done));
        await daemon.CallUntilAsync("0\0", "admin.vm.Start", destination: "work");
        string seen = await PlainPool.ReadAsync(image);
        string changed = method switch { "volume.resize" => "now", "volume.import" => "", _ => "old" };
        Assert.Equal(when == "after" ? changed : "now", seen);
        Assert.Equal(method == "volume.resize" && when == "after" ? 3221225472 : 2147483648, new FileInfo(image).Length);
        Assert.Empty(Directory.GetFiles(PlainPool.DirectoryOf(root), "*.tmp", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task One_that_hangs_is_ended_and_keeps_nobody_else_waiting()
    {
        using ScratchRoot root = new();
        string done = PlainPool.InstallFaulty(root, "volume.revisions", "hang", "storage_deadline = 5000");
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await PlainPool.CreateAsync(daemon);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.AppVM", "debian", payload: "name=other label=red"));
        Task<string> hanging = daemon.CallAsync("admin.vm.volume.ListSnapshots", "private", "work");
        await PlainPool.WaitAsync(() => File.Exists(done));
        Assert.StartsWith("0\0pool=varlibqubes\n", await daemon.CallAsync("admin.vm.volume.Info", "private", "other"), StringComparison.Ordinal);
        Assert.Equal(Gone + "hangs: it was not heard of for 5 s after it was asked volume.revisions\0", await hanging);
        await daemon.CallUntilAsync("0\0", "admin.vm.volume.ListSnapshots", "private", "work");
    }

    [Fact]
    public async Task One_that_tells_of_its_progress_may_take_its_time()
    {
        using ScratchRoot root = new();
        PlainPool.Install(root, "storage_deadline = 5000");
        Directory.CreateDirectory(PlainPool.DirectoryOf(root));
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        Task<string> adding;
        await using (FileStream _ = new(Path.Combine(PlainPool.DirectoryOf(root), ".lock"), FileMode.Create, FileAccess.Write, FileShare.None))
        {
            // Somebody else works on the pool, for longer than the silence that is allowed.
            adding = daemon.CallAsync("admin.pool.Add", "plain-dir", payload: $"name={PlainPool.Name}\ndir_path={PlainPool.DirectoryOf(root)}\n");
            Assert.NotEqual(adding, await Task.WhenAny(adding, Task.Delay(7500)));
        }

        Assert.Equal("0\0", await adding);
    }

    [Theory]
    [InlineData("here/disk", "The storage driver named a path that is not absolute, plain and printable")]
    [InlineData("/x/../etc/shadow", "The storage driver named a path that is not absolute, plain and printable")]
    [InlineData("/x\ny", "The storage driver named a path that is not absolute, plain and printable")]
    [InlineData("/none", "The storage driver named /none, which is neither a file nor a block device")]
    [InlineData("/dev/null", "The storage driver named /dev/null, which is neither a file nor a block device")]
    public async Task A_disk_that_is_none_keeps_the_qube_from_starting(string path, string error)
    {
        using ScratchRoot root = new();
        root.AddScripted("odd", Script(new() { ["volume.start"] = new { result = new { path } } }));
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await CreateOddAsync(daemon);
        Assert.Equal($"2\0StoragePoolException\0\0{error}\0", await daemon.CallAsync("admin.vm.Start", destination: "debian"));
        Assert.Contains("power_state=Halted", await daemon.CallAsync("admin.vm.CurrentState", destination: "debian"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answers_that_make_no_sense_and_refusals_reach_the_caller()
    {
        using ScratchRoot root = new();
        root.AddScripted("odd", Script(new()
        {
            ["volume.status"] = new { result = new { size = -1, usage = 0 } },
            ["volume.revisions"] = new { result = new { revisions = new[] { new { id = "a b", time = 1 } } } },
            ["pool.list"] = new { result = new { volumes = new[] { "../x" } } },
            ["pool.usage"] = new { result = new { size = "much", used = 1 } },
            ["volume.resize"] = new { error = new { code = 1, message = "no\nroom", data = new { type = "QubesValueError" } } },
            ["volume.revert"] = new { error = new { code = -32601, message = "what?" } },
            ["volume.import_begin"] = new { error = new { code = -32603, message = "oops" } },
        }));
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await CreateOddAsync(daemon);
        const string Unusable = "2\0StoragePoolException\0\0The storage driver odd gave an unusable answer to ";
        Assert.Equal(Unusable + "volume.status: 'size' must be a number from 0 to 70368744177664\0", await daemon.CallAsync("admin.vm.volume.Info", "private", "debian"));
        Assert.Equal(Unusable + "volume.revisions: a revision's id is ASCII letters, digits and ':-_.', and there once\0",
            await daemon.CallAsync("admin.vm.volume.ListSnapshots", "private", "debian"));
        Assert.Equal(Unusable + "pool.list: 'volumes' has something that is no volume's id\0", await daemon.CallAsync("admin.pool.volume.List", "odd"));
        // What the store says of the pool is told nevertheless.
        Assert.Equal("0\0driver=odd\nephemeral_volatile=False\nname=odd\nrevisions_to_keep=1\n", await daemon.CallAsync("admin.pool.Info", "odd"));
        Assert.Equal("2\0QubesValueError\0\0no room\0", await daemon.CallAsync("admin.vm.volume.Resize", "private", "debian", "5"));
        Assert.Equal("2\0StoragePoolException\0\0The storage driver odd cannot do volume.revert\0", await daemon.CallAsync("admin.vm.volume.Revert", "private", "debian", "1"));
        Assert.Equal("2\0StoragePoolException\0\0The storage driver odd failed: oops\0",
            await RawClient.CallAsync(daemon.Paths.InternalSocket, "internal.vm.volume.ImportBegin+private dom0 name debian\0" + "5"));
    }

    [Fact]
    public async Task A_volume_that_is_to_be_encrypted_is_left_to_a_driver_that_can()
    {
        using ScratchRoot root = new();
        string disk = Path.Combine(root.Path, "disk");
        await File.WriteAllBytesAsync(disk, []);
        root.AddScripted("odd", Script(new() { ["volume.start"] = new { result = new { path = disk } } }, ephemeral: true));
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await CreateOddAsync(daemon);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.volume.Set.ephemeral", "volatile", "debian", "True"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "debian"));
    }

    [Fact]
    public async Task A_driver_has_one_owner_and_built_in_ones_are_nobodys()
    {
        using ScratchRoot root = new();
        root.AddScripted("odd", Script([]));
        root.AddScripted("thief", new { initialize = new { storage_drivers = new[] { new { name = "file-qcow2" } } } });
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        Assert.Contains("\nodd revisions_to_keep ephemeral_volatile\n", await daemon.CallAsync("admin.pool.ListDrivers"), StringComparison.Ordinal);
        Assert.True((await daemon.Process.StopAsync()).IsSuccess);
        Assert.Contains("extension thief: wants what cannot be: there is a storage driver 'file-qcow2' already", await daemon.Process.ReadLogAsync(), StringComparison.Ordinal);
    }

    private static object Script(Dictionary<string, object> answers, bool ephemeral = false) => new
    {
        initialize = new { storage_drivers = new[] { new { name = "odd", ephemeral } } },
        answers,
    };

    private static async Task CreateOddAsync(RunningDaemon daemon)
    {
        Assert.Equal("0\0", await daemon.CallAsync("admin.pool.Add", "odd", payload: "name=odd\n"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.CreateInPool.TemplateVM", payload: "name=debian label=black pool=odd"));
    }

    private static void AssertNothingLeft(ScratchRoot root)
    {
        Assert.Empty(PlainPool.IntentsOf(root));
        Assert.Empty(Directory.GetFiles(PlainPool.DirectoryOf(root), "*.tmp", SearchOption.AllDirectories));
    }
}
