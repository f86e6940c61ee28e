using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage.Tests.External;

/// <summary>Pools of a driver that is not part of the daemon, which comes and goes.</summary>
public sealed class ExternalPoolTests : IDisposable
{
    private const string Directory = "appvms/work";

    private static readonly PoolConfig Config = new() { Name = "far", Driver = "thin", Options = [new("group", "vg"), new("revisions_to_keep", "3")] };
    private static readonly PoolParameter[] Parameters = [new("group", IsMandatory: true), new("revisions_to_keep"), new("ephemeral_volatile")];

    private static readonly VolumeConfig Private = new()
    {
        Name = "private", Pool = "far", Vid = Directory + "/private", Rw = true, SaveOnStop = true, Size = 1 << 20,
    };

    private static readonly VolumeConfig Extra = Private with { Name = "extra", Vid = Directory + "/extra" };

    private readonly string _directory = System.IO.Directory.CreateTempSubdirectory("qubes-external-").FullName;
    private readonly StorageService _storage;
    private readonly RecordingDriver _driver = new();

    public ExternalPoolTests()
    {
        _storage = new StorageService(new StorageEnvironment { Paths = new QubesPaths(_directory) });
        _driver.Path = System.IO.Path.Combine(_directory, "disk");
        File.WriteAllBytes(_driver.Path, []);
    }

    public void Dispose() => System.IO.Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Without_its_driver_a_pool_keeps_all_it_has_and_says_what_is_missing()
    {
        Pool pool = _storage.Add(Config);
        Assert.Equal(Config.Options, pool.Config.Options);
        Assert.Equal(3, pool.RevisionsToKeep);
        Assert.Equal(Private.Vid, pool.NewVid(Directory, "private"));
        Assert.Null(await pool.GetUsageAsync());
        Assert.Equal(0, await pool.RecoverAsync());
        Assert.Equal("The driver thin of pool far is not there", (await Assert.ThrowsAsync<QubesException>(() => pool.ListVidsAsync())).Message);
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => _storage.Open(Private).StartAsync());
        Assert.True(DriverGoneException.IsCauseOf(failure));
        Assert.False(DriverGoneException.LeavesOpen(failure));

        // Ids of another form are nothing to complain of.
        _ = _storage.Open(Private with { Vid = "qubes_dom0/vm-work-private" });
    }

    [Fact]
    public async Task A_driver_that_comes_takes_the_pools_that_wait_and_leaves_them_when_it_goes()
    {
        _ = _storage.Add(Config);
        AddDriver();
        await _storage.Open(Private).CreateAsync();
        Assert.Equal(["create appvms/work/private"], _driver.Asked);
        Assert.Equal("3", _storage.Find("far").Config["revisions_to_keep"]);
        Assert.Throws<ArgumentException>(AddDriver);
        Assert.Throws<QubesException>(() => _storage.Open(Private with { Vid = "qubes_dom0/vm-work-private" }));

        _storage.RemoveDriver("thin");
        await Assert.ThrowsAsync<QubesException>(() => _storage.Open(Private).StopAsync());
        Assert.Equal("vg", _storage.Find("far").Config["group"]);
        AddDriver();
        await _storage.Open(Private).StopAsync();
    }

    [Fact]
    public void A_driver_does_not_get_pools_with_options_it_does_not_know()
    {
        _ = _storage.Add(Config with { Options = [new("group", "vg"), new("colour", "red")] });
        AddDriver();
        Assert.Equal("red", _storage.Find("far").Config["colour"]);
        Assert.Null(_storage.Find("far").Driver.Parameters.FirstOrDefault(p => p.IsMandatory));
    }

    [Fact]
    public async Task A_disk_is_a_file_or_a_block_device_or_the_volume_is_stopped_again()
    {
        _ = _storage.Add(Config);
        AddDriver();
        Volume volume = _storage.Open(Private);
        await volume.StartAsync();
        Assert.Equal(new BlockDevice("private", _driver.Path, DiskFormat.Raw, IsFile: true, IsReadWrite: true), volume.BlockDevice);
        _driver.Path = _directory;
        await Assert.ThrowsAsync<QubesException>(() => volume.StartAsync());
        Assert.Equal(["start appvms/work/private", "start appvms/work/private", "stop appvms/work/private"], _driver.Asked);
        await Assert.ThrowsAsync<QubesException>(() => volume.ImportBeginAsync(5));
        Assert.Equal("import-end appvms/work/private False", _driver.Asked[^1]);
    }

    [Fact]
    public async Task What_is_no_origin_has_nothing_to_create_export_import_or_revert()
    {
        _ = _storage.Add(Config);
        AddDriver();
        Volume scratch = _storage.Open(Private with { SaveOnStop = false });
        await scratch.CreateAsync();
        await Assert.ThrowsAsync<QubesException>(() => scratch.ExportAsync());
        await Assert.ThrowsAsync<QubesException>(() => scratch.ImportBeginAsync(5));
        await Assert.ThrowsAsync<QubesException>(() => scratch.RevertAsync(null));
        Assert.Empty(await scratch.ListRevisionsAsync());
        Assert.Empty(_driver.Asked);
    }

    [Fact]
    public async Task A_copy_within_the_driver_names_the_volume_it_comes_from()
    {
        _ = _storage.Add(Config);
        AddDriver();
        await _storage.Open(Extra).ImportVolumeAsync(_storage.Open(Private));
        Assert.Equal(["export appvms/work/private", "import appvms/work/extra appvms/work/private", "export-end appvms/work/private"], _driver.Asked);
    }

    [Fact]
    public async Task Of_a_creation_without_an_end_is_told_what_may_be_left()
    {
        _ = _storage.Add(Config);
        AddDriver();
        _driver.Instead["create appvms/work/extra"] = () => throw DriverGoneException.For("ended", wasAsked: true);
        _driver.Instead["remove appvms/work/private"] = () => throw DriverGoneException.For("ended", wasAsked: true);
        List<VolumeConfig> left = [];
        await Assert.ThrowsAsync<QubesException>(() => _storage.ForQube([Private, Extra]).CreateAsync(left));
        Assert.Equal([Private.Vid], left.Select(volume => volume.Vid));
        Assert.Contains("remove appvms/work/extra", _driver.Asked);
    }

    [Fact]
    public async Task A_volume_that_was_there_is_not_removed_by_a_creation_that_finds_it()
    {
        _ = _storage.Add(Config);
        AddDriver();
        _driver.Instead["create appvms/work/extra"] = () => throw QubesErrors.StoragePool("exists");
        await Assert.ThrowsAsync<QubesException>(() => _storage.ForQube([Private, Extra]).CreateAsync());
        Assert.DoesNotContain("remove appvms/work/extra", _driver.Asked);
        Assert.Contains("remove appvms/work/private", _driver.Asked);
    }

    [Fact]
    public async Task A_removal_that_waits_for_a_driver_is_done_when_it_comes()
    {
        _ = _storage.Add(Config);
        QubeDataIntents intents = new(_storage, static _ => true);
        _ = await intents.AnnounceAsync(Directory, [Private]);
        Assert.Equal(1, await intents.RecoverAsync(_ => false));
        Assert.Single(Announcements());

        // One of that name is just being made: it is for that to see to.
        AddDriver();
        await intents.RetryAsync(_ => true);
        Assert.Empty(_driver.Asked);
        await intents.RetryAsync(_ => false);
        Assert.Equal(["remove appvms/work/private"], _driver.Asked);
        Assert.Empty(Announcements());
        await intents.RetryAsync(_ => false);
        Assert.Single(_driver.Asked);
    }

    [Fact]
    public async Task A_new_qube_of_that_name_waits_for_the_removal()
    {
        _ = _storage.Add(Config);
        QubeDataIntents intents = new(_storage, static _ => true);
        QubeDataIntent intent = await intents.AnnounceAsync(Directory, [Private, Extra]);
        await QubeDataIntents.NarrowAsync(intent, [Extra]);
        intents.Postpone(intent);
        await intents.SettleAsync("appvms/other");
        Assert.Equal("What is left of a former qube of that name cannot be removed: The driver thin of pool far is not there",
            (await Assert.ThrowsAsync<QubesException>(() => intents.SettleAsync(Directory))).Message);
        AddDriver();
        await intents.SettleAsync(Directory);
        Assert.Equal(["remove appvms/work/extra"], _driver.Asked);
        Assert.Empty(Announcements());
    }

    private string[] Announcements() => System.IO.Directory.GetFiles(System.IO.Path.Combine(_storage.Environment.Paths.StateDirectory, ".qube-intents"));

    private void AddDriver() => _storage.AddDriver("thin", "far away", Parameters, PoolCapabilities.Writable, _driver);
}
