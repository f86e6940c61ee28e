using Qvm.CommandLine;
using Qvm.Output;

namespace Qubes.Tools.Tests;

public sealed class StorageToolTests : ToolHarness
{
    public StorageToolTests() => Daemon.Answer("admin.vm.List+ dom0", ThreeQubes)
        .Answer("admin.pool.List+ dom0", "vg\nfast\n").Answer("admin.pool.ListDrivers+ dom0", "zfs container\nfile dir_path revisions_to_keep\n")
        .Answer("admin.pool.Info+vg dom0", "dir_path=/x\ndriver=file\nname=vg\nsize=5\n").Answer("admin.pool.Info+fast dom0", "driver=zfs\nname=fast\n")
        .Answer("admin.vm.volume.List+ dom0", "").Answer("admin.vm.volume.List+ tmpl", "root\n").Answer("admin.vm.volume.List+ work", "root\nprivate\n")
        .Answer("admin.vm.volume.Info+root tmpl", "pool=vg\nvid=t/root\nsize=100\nsave_on_stop=True\nrevisions_to_keep=-1\nrw=True\n")
        .Answer("admin.vm.volume.Info+root work", "pool=vg\nvid=w/root\nsize=100\nsave_on_stop=False\nrevisions_to_keep=0\nrw=True\n")
        .Answer("admin.vm.volume.Info+private work", "pool=fast\nvid=w/private\nsize=200\nsave_on_stop=True\nrevisions_to_keep=2\nrw=True\nis_outdated=False\n")
        .Answer("admin.vm.volume.ListSnapshots+root tmpl", "1\n2\n").Answer("admin.vm.volume.ListSnapshots+root work", "")
        .Answer("admin.vm.volume.ListSnapshots+private work", "");

    [Fact]
    public async Task Pools_are_listed_with_their_drivers()
    {
        const string listed = "NAME  DRIVER\nvg    file\nfast  zfs\n";
        Assert.Equal(0, await RunAsync("qvm-pool"));
        Assert.Equal(listed, Output);
        Assert.Equal(0, await RunAsync("qvm-pool", "-l"));
        Assert.Equal(listed, Output);
        Assert.Equal(0, await RunAsync("qvm-pool", "drivers"));
        Assert.Equal("DRIVER  OPTIONS\nfile    dir_path, revisions_to_keep\nzfs     container\n", Output);
    }

    [Theory]
    [InlineData("info", "vg")]
    [InlineData("i", "vg")]
    [InlineData("--info", "vg")]
    public async Task A_pool_is_shown(params string[] words)
    {
        Assert.Equal(0, await RunAsync("qvm-pool", words));
        Assert.Equal("name      vg\ndir_path  /x\ndriver    file\nsize      5\n", Output);
        Assert.Equal(2, await RunAsync("qvm-pool", "info", "nowhere"));
        Assert.EndsWith("qvm-pool: error: No such pools: ['nowhere']\n", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pools_are_added_set_and_removed_in_both_styles()
    {
        Daemon.Answer("admin.pool.Add+file dom0", "").Answer("admin.pool.Remove+vg dom0", "").Answer("admin.pool.Set.revisions_to_keep+vg dom0", "")
            .Fail("admin.pool.Remove+fast dom0", "QubesPoolInUseError", "Storage pool is in use: 'fast'");
        Assert.Equal(0, await RunAsync("qvm-pool", "add", "new", "file", "-o", "revisions_to_keep=3", "-o", "dir_path=/y"));
        Assert.Equal(0, await RunAsync("qvm-pool", "-a", "new", "file", "-o", "dir_path=/y,revisions_to_keep=3"));
        Assert.Equal(2, Calls("admin.pool.Add+file dom0 name=new\ndir_path=/y\nrevisions_to_keep=3").Count());
        Assert.Equal(0, await RunAsync("qvm-pool", "set", "vg", "-o", "revisions_to_keep=-1"));
        Assert.Contains("admin.pool.Set.revisions_to_keep+vg dom0 -1", Daemon.Requests);
        Assert.Equal(1, await RunAsync("qvm-pool", "set", "vg", "-o", "dir_path=/z"));
        Assert.EndsWith("qvm-pool: error: Setting option dir_path is not supported for pool vg\n", Error, StringComparison.Ordinal);
        Assert.Equal(1, await RunAsync("qvm-pool", "remove", "fast", "vg"));
        Assert.Equal("qvm-pool: error: Storage pool is in use: 'fast'\n", Error);
        Assert.Contains("admin.pool.Remove+vg dom0", Daemon.Requests);
        Assert.Equal(2, await RunAsync("qvm-pool", "add", "new"));
        Assert.Equal(2, await RunAsync("qvm-pool", "remove"));
    }

    [Fact]
    public async Task Volumes_are_listed_by_pool_and_id()
    {
        Assert.Equal(0, await RunAsync("qvm-volume"));
        Assert.Equal(
            "POOL:VOLUME     VMNAME  VOLUME_NAME  REVERT_POSSIBLE\n"
            + "fast:w/private  work    private      No\n"
            + "vg:t/root       tmpl    root         Yes\n"
            + "vg:w/root       work    root         No\n", Output);
        Assert.Equal(0, await RunAsync("qvm-volume", "ls", "-p", "vg", "work"));
        Assert.Equal("POOL:VOLUME  VMNAME  VOLUME_NAME  REVERT_POSSIBLE\nvg:w/root    work    root         No\n", Output);
        Assert.Equal(0, await RunAsync("qvm-volume", "list", "--all", "--exclude", "work"));
        Assert.DoesNotContain("work", Output, StringComparison.Ordinal);
        Assert.Equal(2, await RunAsync("qvm-volume", "list", "nobody"));
    }

    [Fact]
    public async Task A_volume_is_shown_as_a_whole_or_one_value()
    {
        Assert.Equal(0, await RunAsync("qvm-volume", "info", "tmpl:root"));
        Assert.Equal(
            "pool               vg\nvid                t/root\nrw                 True\nsave_on_stop       True\nsize               100\n"
            + "revisions_to_keep  -1 (snapshot disabled)\nList of available revisions (for revert):\n  1\n  2\n", Output);
        Assert.Equal(0, await RunAsync("qvm-volume", "i", "tmpl:root", "revisions_to_keep"));
        Assert.Equal("-1\n", Output);
        Assert.Equal(0, await RunAsync("qvm-volume", "i", "tmpl:root", "revisions"));
        Assert.Equal("1\n2\n", Output);
        Assert.Equal(1, await RunAsync("qvm-volume", "i", "tmpl:root", "colour"));
        Assert.Equal("Error: No such property: colour\n", Error);
        Assert.Equal(2, await RunAsync("qvm-volume", "info", "tmpl"));
        Assert.Equal(1, await RunAsync("qvm-volume", "info", "nobody:root"));
        Assert.Equal("Error: no vm 'nobody'\n", Error);
        Assert.Equal(1, await RunAsync("qvm-volume", "info", "tmpl:swap"));
        Assert.Equal("Error: vm 'tmpl' has no volume 'swap'\n", Error);
    }

    [Fact]
    public async Task A_volume_is_configured_resized_and_reverted()
    {
        Daemon.Answer("admin.vm.volume.Set.rw+private work", "").Answer("admin.vm.volume.Resize+private work", "")
            .Answer("admin.vm.volume.Revert+root tmpl", "");
        Assert.Equal(0, await RunAsync("qvm-volume", "config", "work:private", "rw", "no"));
        Assert.Contains("admin.vm.volume.Set.rw+private work no", Daemon.Requests);
        Assert.Equal(1, await RunAsync("qvm-volume", "config", "work:private", "vid", "x"));
        Assert.Equal("Error: Invalid property: vid\n", Error);
        Assert.Equal(0, await RunAsync("qvm-volume", "resize", "work:private", "1KiB"));
        Assert.Contains("admin.vm.volume.Resize+private work 1024", Daemon.Requests);
        Assert.Equal(1, await RunAsync("qvm-volume", "extend", "work:private", "150"));
        Assert.StartsWith("Error: Refusing to shrink volume work:private from 200 to 150 bytes.", Error, StringComparison.Ordinal);
        Assert.Equal(0, await RunAsync("qvm-volume", "resize", "-f", "work:private", "150"));
        Assert.Equal(0, await RunAsync("qvm-volume", "revert", "tmpl:root"));
        Assert.Equal(0, await RunAsync("qvm-volume", "rv", "tmpl:root", "1"));
        Assert.Equal(["admin.vm.volume.Revert+root tmpl 2", "admin.vm.volume.Revert+root tmpl 1"], Calls("admin.vm.volume.Revert"));
        Assert.Equal(1, await RunAsync("qvm-volume", "revert", "work:private"));
        Assert.Equal("Error: No snapshots available\n", Error);
    }

    [Fact]
    public async Task A_volume_is_cloned_and_cleared()
    {
        Daemon.Answer("admin.vm.volume.CloneFrom+root tmpl", "T").Answer("admin.vm.volume.CloneTo+private work", "")
            .Answer("admin.vm.volume.Clear+private work", "");
        Assert.Equal(0, await RunAsync("qvm-volume", "clone", "-f", "tmpl:root", "work:private"));
        Assert.Contains("admin.vm.volume.CloneTo+private work T", Daemon.Requests);
        Assert.Equal(1, await RunAsync("qvm-volume", "clone", "-f", "tmpl:root", "work:root"));
        Assert.Equal("Error: Volumes must be save_on_stop for cloning\n", Error);
        Assert.Equal(0, await RunAsync("qvm-volume", "clear", "-f", "work:private"));
        Assert.Single(Calls("admin.vm.volume.Clear"));
        Daemon.Fail("admin.vm.volume.Clear+private work", "StoragePoolException", "in use");
        Assert.Equal(1, await RunAsync("qvm-volume", "clear", "-f", "work:private"));
        Assert.Equal("Error: in use\n", Error);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("1234", 1234)]
    [InlineData("2K", 2000)]
    [InlineData("2 kB", 2000)]
    [InlineData("2ki", 2048)]
    [InlineData("3 MiB", 3 << 20)]
    [InlineData("1g", 1_000_000_000)]
    [InlineData("5GiB", 5L << 30)]
    public void Sizes_are_read_as_people_write_them(string text, long bytes) => Assert.Equal(bytes, SizeText.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("K")]
    [InlineData("-1")]
    [InlineData("1.5G")]
    [InlineData("1T")]
    [InlineData("9999999999999GiB")]
    public void Other_sizes_are_refused(string text) => Assert.Equal($"Invalid size: {text}.", Assert.Throws<ToolException>(() => SizeText.Parse(text)).Message);
}
