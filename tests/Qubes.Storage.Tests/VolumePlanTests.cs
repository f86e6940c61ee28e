using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage.Tests;

public sealed class VolumePlanTests
{
    private static readonly VolumeConfig Root = new() { Name = "root", Rw = true, SnapOnStart = true, SourceFromTemplate = true };
    private static readonly VolumeConfig Private = new() { Name = "private", Rw = true, SaveOnStop = true, Size = 2L << 30 };
    private static readonly VolumeConfig Kernel = new() { Name = "kernel", Pool = "linux-kernel", Vid = "6.1" };
    private static readonly VolumeConfig TemplateRoot = new()
    {
        Name = "root", Pool = "fast", Vid = "vm-templates/base/root", Rw = true, SaveOnStop = true, Size = 10L << 30,
    };

    private readonly StorageService _storage = new(new StorageEnvironment { Paths = new QubesPaths("/nowhere") });

    public VolumePlanTests()
    {
        _storage.Add(new PoolConfig { Name = "main", Driver = "file-qcow2", Options = [new("dir_path", "/nowhere/main"), new("revisions_to_keep", "3")] });
        _storage.Add(new PoolConfig { Name = "fast", Driver = "file-reflink", Options = [new("dir_path", "/nowhere/fast")] });
        _storage.Add(new PoolConfig { Name = "linux-kernel", Driver = "linux-kernel", Options = [new("dir_path", "/nowhere/kernels")] });
    }

    [Fact]
    public void A_volume_gets_pool_id_and_revisions()
    {
        VolumeConfig done = Complete(Private);
        Assert.Equal(("main", "appvms/work/private", 3, 2L << 30), (done.Pool, done.Vid, done.RevisionsToKeep, done.Size));
    }

    [Fact]
    public void A_snapshot_lives_where_its_source_lives_and_has_its_size()
    {
        VolumeConfig done = Complete(Root with { Pool = "main" }, [TemplateRoot]);
        Assert.Equal(("fast", "vm-templates/base/root", 10L << 30, 0), (done.Pool, done.Source, done.Size, done.RevisionsToKeep));
    }

    [Fact]
    public void The_source_of_a_disposables_root_is_the_templates_templates()
    {
        VolumeConfig appRoot = Complete(Root, [TemplateRoot]);
        Assert.Equal("vm-templates/base/root", Complete(Root, [appRoot], [TemplateRoot]).Source);
    }

    [Fact]
    public void A_snapshot_without_template_is_refused() =>
        Assert.Equal(QubesErrorNames.StoragePool, Assert.Throws<QubesException>(() => Complete(Root)).WireName);

    [Fact]
    public void A_source_without_snapshot_is_refused() =>
        Assert.Throws<QubesException>(() => Complete(Private with { Source = "vm-templates/base/root" }));

    [Fact]
    public void A_chosen_pool_moves_writable_volumes_that_are_no_snapshots()
    {
        IReadOnlyList<VolumeConfig> chosen = VolumePlan.ChoosePools([Root, Private, Kernel], "fast", null);
        Assert.Equal([null, "fast", "linux-kernel"], chosen.Select(volume => volume.Pool));
    }

    [Fact]
    public void A_pool_can_be_chosen_for_one_volume_but_not_for_a_snapshot()
    {
        Dictionary<string, string> pools = new() { ["private"] = "fast" };
        Assert.Equal([null, "fast"], VolumePlan.ChoosePools([Root, Private], null, pools).Select(volume => volume.Pool));
        Assert.Throws<QubesException>(() => VolumePlan.ChoosePools([Root], null, new Dictionary<string, string> { ["root"] = "fast" }));
    }

    [Fact]
    public void Another_template_changes_the_source_of_snapshots_only()
    {
        VolumeConfig other = TemplateRoot with { Vid = "vm-templates/other/root", Size = 1 };
        Assert.Equal("vm-templates/other/root", VolumePlan.FollowTemplate(Complete(Root, [TemplateRoot]), [[other]]).Source);
        Assert.Equal(Private, VolumePlan.FollowTemplate(Private, [[other]]));
    }

    [Theory]
    [InlineData("root-dirty")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("root.1")]
    public void Names_that_would_collide_or_escape_are_refused(string name) =>
        Assert.Throws<QubesException>(() => Complete(Private with { Name = name }));

    [Fact]
    public void An_unknown_pool_is_named() =>
        Assert.Equal("Unknown storage pool slow", Assert.Throws<QubesException>(() => Complete(Private with { Pool = "slow" })).Message);

    [Fact]
    public void Options_are_checked_and_put_in_the_order_of_the_store()
    {
        PoolConfig config = _storage.Drivers.Check(new PoolConfig
        {
            Name = "p", Driver = "file-reflink", Options = [new("ephemeral_volatile", "True"), new("dir_path", "/x"), new("setup_check", "no")],
        });
        Assert.Equal(["dir_path", "revisions_to_keep", "setup_check", "ephemeral_volatile"], config.Options.Select(option => option.Key));
        Assert.Equal(["dir_path", "revisions_to_keep", "ephemeral_volatile"], _storage.Add(config).Config.Options.Select(option => option.Key));
        Assert.Throws<QubesException>(() => _storage.Drivers.Check(new PoolConfig { Name = "p", Driver = "file-reflink" }));
        Assert.ThrowsAny<QubesException>(() => _storage.Drivers.Check(config with { Options = [new("dir_path", "/x"), new("colour", "red")] }));
        Assert.Throws<QubesException>(() => _storage.Drivers.Check(config with { Driver = "floppy" }));
    }

    [Fact]
    public void A_volatile_volume_of_an_ephemeral_pool_is_ephemeral_unless_it_says_otherwise()
    {
        _storage.SetOption("main", "ephemeral_volatile", "True");
        VolumeConfig scratch = new() { Name = "volatile", Pool = "main", Vid = "appvms/work/volatile", Rw = true };
        Assert.True(_storage.Open(scratch).IsEphemeral);
        Assert.False(_storage.Open(scratch with { Ephemeral = false }).IsEphemeral);
        Assert.False(_storage.Open(scratch with { SaveOnStop = true }).IsEphemeral);
    }

    [Fact]
    public void Devices_get_the_letters_guests_expect()
    {
        IEnumerable<BlockDevice> devices = new[] { "root", "private", "extra", "volatile", "kernel", "more" }
            .Select(name => new BlockDevice(name, "/x", DiskFormat.Raw, true, true));
        Assert.Equal(["xvda", "xvdb", "xvde", "xvdc", "xvdd", "xvdf"], BlockDevice.AssignTargets(devices).Select(pair => pair.Target));
    }

    private VolumeConfig Complete(VolumeConfig volume, params IReadOnlyList<VolumeConfig>[] templates) =>
        VolumePlan.Complete(volume, "appvms/work", templates, _ => "main", _storage.Find);
}
