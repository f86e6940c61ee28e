using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage.Tests;

/// <summary>All volumes of a qube together, kernels, and the announcements that tie the store to the disk.</summary>
public sealed class QubeStorageTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-storage-").FullName;
    private StorageService _storage = null!;

    private static VolumeConfig Private => new()
    {
        Name = "private", Pool = "varlibqubes", Vid = "appvms/work/private", Rw = true, SaveOnStop = true, Size = 1 << 20, RevisionsToKeep = 1,
    };

    private static VolumeConfig Scratch => new() { Name = "volatile", Pool = "varlibqubes", Vid = "appvms/work/volatile", Rw = true, Size = 1 << 20 };

    private static VolumeConfig Kernel => new() { Name = "kernel", Pool = "linux-kernel", Vid = "6.1" };

    private string State => _storage.Environment.Paths.StateDirectory;

    public async ValueTask InitializeAsync()
    {
        _storage = new StorageService(new StorageEnvironment { Paths = new QubesPaths(_directory) });
        foreach (PoolConfig pool in await _storage.InitialPoolsAsync())
        {
            await _storage.CreateAsync(pool);
        }
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Volumes_of_a_qube_start_and_stop_together_and_are_marked_in_use_meanwhile()
    {
        QubeStorage storage = _storage.ForQube([Private, Scratch]);
        await storage.CreateAsync();
        Assert.False(storage.IsStarted);

        await storage.StartAsync();
        Assert.True(storage.IsStarted);
        Assert.Equal(
            ["volume-running-varlibqubes:appvms-work-private", "volume-running-varlibqubes:appvms-work-volatile"],
            Directory.EnumerateFiles(_storage.Environment.Paths.QubesRunDirectory).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.All(storage.BlockDevices, device => Assert.True(File.Exists(device.Path)));

        await storage.StopAsync();
        Assert.False(storage.IsStarted);
        await storage.RemoveAsync();
        Assert.False(Directory.Exists(Path.Combine(State, "appvms/work")));
    }

    [Fact]
    public async Task What_others_put_at_a_marks_name_is_no_mark_and_leads_nowhere()
    {
        QubeStorage storage = _storage.ForQube([Private]);
        await storage.CreateAsync();
        string mark = Path.Combine(_storage.Environment.Paths.QubesRunDirectory, "volume-running-varlibqubes:appvms-work-private");
        Directory.CreateDirectory(Path.GetDirectoryName(mark)!);
        string target = Path.Combine(_directory, "target");
        File.CreateSymbolicLink(mark, target);
        Assert.False(storage.IsStarted);
        await storage.StartAsync();
        Assert.True(storage.IsStarted);
        Assert.False(File.Exists(target));
        Assert.Null(new FileInfo(mark).LinkTarget);
        await storage.StopAsync();
        await storage.RemoveAsync();
    }

    [Fact]
    public async Task A_creation_that_fails_leaves_what_was_there_and_nothing_else()
    {
        await _storage.Open(Scratch with { Name = "extra", Vid = "appvms/work/extra", SaveOnStop = true }).CreateAsync();
        QubeStorage storage = _storage.ForQube([Private, Scratch with { Name = "extra", Vid = "appvms/work/extra", SaveOnStop = true }]);

        await Assert.ThrowsAsync<QubesException>(() => storage.CreateAsync());

        Assert.Equal(["appvms/work/extra"], await _storage.Find("varlibqubes").ListVidsAsync());
    }

    [Fact]
    public async Task A_start_that_fails_half_way_stops_what_it_had_started()
    {
        VolumeConfig orphan = new()
        {
            Name = "root", Pool = "varlibqubes", Vid = "appvms/work/root", Rw = true, SnapOnStart = true, Source = "vm-templates/gone/root",
        };
        await _storage.ForQube([Private]).CreateAsync();
        QubeStorage storage = _storage.ForQube([Private, Scratch, orphan]);

        await Assert.ThrowsAsync<QubesException>(() => storage.StartAsync());

        Assert.False(storage.IsStarted);
        Assert.False((await storage["private"].GetStatusAsync()).IsDirty);
        Assert.DoesNotContain(Directory.EnumerateFiles(Path.Combine(State, "appvms/work")), file => file.Contains("dirty", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_kernel_is_found_by_its_directory_and_its_modules_are_a_disk()
    {
        Assert.Null(_storage.ForQube([Kernel]).Kernel);
        await Assert.ThrowsAsync<QubesException>(() => _storage.ForQube([Kernel]).VerifyAsync());
        await _storage.ForQube([Kernel with { Vid = "" }]).VerifyAsync();

        string directory = Directory.CreateDirectory(Path.Combine(State, "vm-kernels/6.1")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(directory, "vmlinuz"), [1]);
        QubeStorage storage = _storage.ForQube([Kernel]);
        await storage.VerifyAsync();
        Assert.Equal(new KernelFiles(directory, directory + "/vmlinuz", null, null), storage.Kernel);
        Assert.Empty(storage.BlockDevices);

        await File.WriteAllBytesAsync(Path.Combine(directory, "modules.img"), [1, 2]);
        await File.WriteAllBytesAsync(Path.Combine(directory, "initramfs"), [1]);
        BlockDevice disk = Assert.Single(storage.BlockDevices);
        Assert.Equal((directory + "/modules.img", DiskFormat.Raw, false), (disk.Path, disk.Format, disk.IsReadWrite));
        Assert.Equal(directory + "/initramfs", storage.Kernel!.Initramfs);
        Assert.Equal(["6.1"], await _storage.Find("linux-kernel").ListVidsAsync());
    }

    [Theory]
    [InlineData("../../etc")]
    [InlineData("a/b")]
    [InlineData(".hidden")]
    public void A_kernel_outside_of_its_directory_is_refused(string name) =>
        Assert.Throws<QubesException>(() => _storage.ForQube([Kernel with { Vid = name }]));

    [Fact]
    public void A_kernel_that_is_to_be_written_is_refused() => Assert.Throws<QubesException>(() => _storage.ForQube([Kernel with { Rw = true }]));

    [Fact]
    public async Task Snapshots_cannot_be_switched_on_or_off_while_in_use()
    {
        QubeStorage storage = _storage.ForQube([Private]);
        Assert.Equal(5, storage.WithRevisionsToKeep("private", 5, isInUse: true).RevisionsToKeep);
        QubesException refused = Assert.Throws<QubesException>(() => storage.WithRevisionsToKeep("private", -1, isInUse: true));
        Assert.Equal(QubesErrorNames.VMNotHalted, refused.WireName);
        Assert.Equal(-1, storage.WithRevisionsToKeep("private", -1, isInUse: false).RevisionsToKeep);
        Assert.Throws<QubesException>(() => storage.WithRevisionsToKeep("private", -2, isInUse: false));
        Assert.Throws<QubesException>(() => storage.WithEphemeral("private", true));
        Assert.True(_storage.ForQube([Scratch]).WithEphemeral("volatile", true).Ephemeral);
        await Assert.ThrowsAsync<QubesException>(() => _storage.Open(Scratch with { Ephemeral = true }).StartAsync());
    }

    [Fact]
    public async Task Announced_data_without_a_qube_is_removed_at_start()
    {
        await NewIntents().AnnounceAsync("appvms/work", [Private, Kernel]);
        await _storage.ForQube([Private]).CreateAsync();
        await File.WriteAllBytesAsync(Path.Combine(State, "appvms/work/firewall.xml"), []);

        Assert.Equal(1, await NewIntents().RecoverAsync(_ => false));

        Assert.False(Directory.Exists(Path.Combine(State, "appvms/work")));
        Assert.Equal(0, await NewIntents().RecoverAsync(_ => false));
    }

    [Fact]
    public async Task Announced_data_of_a_qube_of_the_store_stays()
    {
        await NewIntents().AnnounceAsync("appvms/work", [Private]);
        await _storage.ForQube([Private]).CreateAsync();

        Assert.Equal(1, await NewIntents().RecoverAsync(directory => directory == "appvms/work"));

        await _storage.Open(Private).VerifyAsync();
        Assert.Equal(0, await NewIntents().RecoverAsync(_ => false));
        await _storage.Open(Private).VerifyAsync();
    }

    [Fact]
    public async Task Data_never_announced_is_never_removed()
    {
        await _storage.ForQube([Private]).CreateAsync();
        await (await NewIntents().AnnounceAsync("appvms/work", [Private])).CloseAsync();
        await NewIntents().RecoverAsync(_ => false);
        await _storage.Open(Private).VerifyAsync();
    }

    [Fact]
    public async Task Announced_data_that_cannot_be_removed_at_start_is_kept_from_a_new_qube_of_that_name()
    {
        await NewIntents().AnnounceAsync("appvms/work", [Private]);
        await _storage.ForQube([Private]).CreateAsync();
        QubeDataIntents intents = NewIntents();
        string directory = Path.Combine(State, "appvms/work");
        string elsewhere = directory + ".moved";
        Directory.Move(directory, elsewhere);
        await File.WriteAllBytesAsync(directory, []);

        Assert.Equal(1, await intents.RecoverAsync(_ => false));
        Assert.True(intents.HasPostponed);
        await Assert.ThrowsAsync<QubesException>(() => intents.SettleAsync("appvms/work"));

        File.Delete(directory);
        Directory.Move(elsewhere, directory);
        await intents.SettleAsync("appvms/work");
        Assert.False(intents.HasPostponed);
        Assert.False(Directory.Exists(directory));
    }

    [Fact]
    public async Task Announced_data_in_a_pool_that_was_removed_stays()
    {
        await _storage.CreateAsync(new PoolConfig { Name = "second", Driver = "file-qcow2", Options = [new("dir_path", Path.Combine(_directory, "second"))] });
        VolumeConfig volume = Private with { Pool = "second" };
        await NewIntents().AnnounceAsync("appvms/work", [volume, Private]);
        await _storage.ForQube([volume]).CreateAsync();
        await _storage.ForQube([Private]).CreateAsync();
        Assert.Equal(1, await new QubeDataIntents(_storage, pool => pool != "second").RecoverAsync(_ => false));
        Assert.Equal(0, await NewIntents().RecoverAsync(_ => false));
        await _storage.Open(volume).VerifyAsync();
        await Assert.ThrowsAsync<QubesException>(() => _storage.Open(Private).VerifyAsync());
    }

    [Fact]
    public async Task A_damaged_announcement_removes_nothing_and_stays_to_be_seen()
    {
        await _storage.ForQube([Private]).CreateAsync();
        await NewIntents().AnnounceAsync("appvms/work", [Private]);
        string file = Directory.EnumerateFiles(Path.Combine(State, ".qube-intents")).Single();
        await File.WriteAllBytesAsync(file, "{\"version\":1,\"qube\":\"../..\",\"volumes\":[]}"u8.ToArray());

        Assert.Equal(1, await NewIntents().RecoverAsync(_ => false));

        await _storage.Open(Private).VerifyAsync();
        Assert.True(File.Exists(file));
    }

    private QubeDataIntents NewIntents() => new(_storage, static _ => true);
}
