namespace Qubes.Tools.Tests;

public sealed class CloneToolTests : ToolHarness
{
    private const string Kept = "pool=p\nvid=v\nsave_on_stop=True\n";
    private const string Dropped = "pool=p\nvid=v\nsave_on_stop=False\n";

    public CloneToolTests()
    {
        Daemon.Answer("admin.vm.List+ dom0", ThreeQubes).Answer("admin.label.List+ dom0", "red\nblack\n")
            .Answer("admin.vm.List+ work", "work class=AppVM state=Halted\n")
            .Answer("admin.vm.property.Get+label work", "default=False type=label red")
            .Answer("admin.vm.property.Get+template work", "default=False type=vm tmpl")
            .Answer("admin.vm.Create.AppVM+tmpl dom0", "").Answer("admin.vm.CreateInPool.AppVM+tmpl dom0", "")
            .Answer("admin.vm.property.GetAll+ work",
                "installed_by_rpm default=False type=bool True\nlabel default=False type=label red\nmemory default=False type=int 800\n"
                + "name default=False type=str work\nnetvm default=False type=vm \nqid default=False type=int 5\n"
                + "template default=False type=vm tmpl\nuuid default=False type=str x\nvcpus default=True type=int 2\n")
            .Answer("admin.vm.property.Set+memory new", "").Answer("admin.vm.property.Set+netvm new", "")
            .Answer("admin.vm.tag.List+ work", "created-by-dom0\nmine\n").Answer("admin.vm.tag.Set+mine new", "")
            .Answer("admin.vm.feature.List+ work", "gui\npreload-dispvm\npreload-dispvm-max\n")
            .Answer("admin.vm.feature.Get+gui work", "1").Answer("admin.vm.feature.Get+preload-dispvm-max work", "2")
            .Answer("admin.vm.feature.Set+gui new", "").Answer("admin.vm.feature.Set+preload-dispvm-max new", "")
            .Answer("admin.vm.notes.Get+ work", "a note").Answer("admin.vm.notes.Set+ new", "")
            .Answer("admin.vm.firewall.Get+ work", "action=accept\n").Answer("admin.vm.firewall.Set+ new", "")
            .Answer("admin.vm.volume.List+ new", "root\nprivate\nvolatile\n")
            .Answer("admin.vm.volume.Info+root new", Dropped).Answer("admin.vm.volume.Info+private new", Kept)
            .Answer("admin.vm.volume.Info+volatile new", Dropped)
            .Answer("admin.vm.volume.CloneFrom+private work", "TOKEN").Answer("admin.vm.volume.CloneTo+private new", "")
            .Answer("admin.deviceclass.List+ dom0", "block\n")
            .Answer("admin.vm.device.block.Assigned+ work",
                "dom0+sda:* device_id='*' port_id='sda' devclass='block' backend_domain='dom0' mode='required' frontend_domain='work' _read-only='yes'\n")
            .Answer("admin.vm.device.block.Assign+dom0+sda+_ new", "").Answer("admin.vm.Remove+ new", "");
    }

    [Fact]
    public async Task A_clone_has_all_that_makes_the_qube_and_nothing_that_is_the_sources_own()
    {
        Assert.Equal(0, await RunAsync("qvm-clone", "work", "new"));
        Assert.Equal("new: Cloning private volume\n", Error);
        Assert.Equal("", Output);
        string[] writes = [.. Daemon.Requests.Where(r => r.Contains("new", StringComparison.Ordinal) && !r.Contains(".volume.List", StringComparison.Ordinal)
            && !r.Contains(".Info", StringComparison.Ordinal))];
        Assert.Equal(
        [
            "admin.vm.Create.AppVM+tmpl dom0 name=new label=red",
            "admin.vm.property.Set+memory new 800",
            "admin.vm.property.Set+netvm new",
            "admin.vm.tag.Set+mine new",
            "admin.vm.feature.Set+gui new 1",
            "admin.vm.feature.Set+preload-dispvm-max new 2",
            "admin.vm.notes.Set+ new a note",
            "admin.vm.firewall.Set+ new action=accept",
            "admin.vm.volume.CloneTo+private new TOKEN",
            "admin.vm.device.block.Assign+dom0+sda+_ new device_id='*' port_id='sda' devclass='block' backend_domain='dom0' mode='required' "
                + "frontend_domain='new' _read-only='yes'",
        ], writes);
    }

    [Fact]
    public async Task Pools_are_passed_on()
    {
        Assert.Equal(0, await RunAsync("qvm-clone", "-P", "fast", "work", "new"));
        Assert.Equal(0, await RunAsync("qvm-clone", "-p", "root=a", "-p", "private=b", "work", "new"));
        Assert.Equal(
            ["admin.vm.CreateInPool.AppVM+tmpl dom0 name=new label=red pool=fast", "admin.vm.CreateInPool.AppVM+tmpl dom0 name=new label=red pool:private=b pool:root=a"],
            Calls("admin.vm.CreateInPool"));
        Assert.Equal(2, await RunAsync("qvm-clone", "-p", "fast", "work", "new"));
        Assert.EndsWith("qvm-clone: error: Pool argument must be of form: -p volume_name=pool_name\n", Error, StringComparison.Ordinal);
        Assert.Equal(2, await RunAsync("qvm-clone", "-p", "a=b", "-P", "fast", "work", "new"));
    }

    [Fact]
    public async Task What_cannot_be_copied_ends_the_clone_unless_errors_are_ignored()
    {
        Daemon.Fail("admin.vm.property.Set+netvm new", "QubesValueError", "no network there");
        Assert.Equal(1, await RunAsync("qvm-clone", "work", "new"));
        Assert.Equal("qvm-clone: error: no network there\n", Error);
        Assert.Single(Calls("admin.vm.Remove+ new"));
        Assert.Equal(0, await RunAsync("qvm-clone", "--ignore-errors", "work", "new"));
        Assert.StartsWith("Failed to clone netvm: no network there\n", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_volume_that_cannot_be_copied_always_ends_the_clone()
    {
        Daemon.Fail("admin.vm.volume.CloneTo+private new", "StoragePoolException", "disk full");
        Assert.Equal(1, await RunAsync("qvm-clone", "--ignore-errors", "work", "new"));
        Assert.EndsWith("qvm-clone: error: disk full\n", Error, StringComparison.Ordinal);
        Assert.Single(Calls("admin.vm.Remove+ new"));
    }

    [Fact]
    public async Task A_clone_of_another_class_leaves_out_what_that_lacks()
    {
        Daemon.Answer("admin.vm.Create.StandaloneVM+ dom0", "")
            .Fail("admin.vm.property.Set+memory new", "QubesNoSuchPropertyError", "Invalid property 'memory' of new");
        Assert.Equal(0, await RunAsync("qvm-clone", "-C", "StandaloneVM", "work", "new"));
        Assert.Contains("admin.vm.Create.StandaloneVM+ dom0 name=new label=red", Daemon.Requests);
    }

    [Fact]
    public async Task A_standalone_qube_begins_as_a_copy_of_its_template()
    {
        foreach (string request in (string[])["admin.vm.tag.List+ tmpl", "admin.vm.feature.List+ tmpl", "admin.vm.property.GetAll+ tmpl", "admin.vm.notes.Get+ tmpl",
            "admin.vm.firewall.Get+ tmpl", "admin.vm.device.block.Assigned+ tmpl", "admin.vm.Create.StandaloneVM+ dom0"])
        {
            Daemon.Answer(request, "");
        }

        Daemon.Answer("admin.vm.volume.Info+root new", Kept).Answer("admin.vm.volume.CloneFrom+root tmpl", "T").Answer("admin.vm.volume.CloneTo+root new", "");
        Assert.Equal(0, await RunAsync("qvm-create", "--standalone", "-t", "tmpl", "-l", "black", "new"));
        Assert.Contains("admin.vm.Create.StandaloneVM+ dom0 name=new label=black", Daemon.Requests);
        Assert.Equal(["admin.vm.volume.CloneTo+root new T"], Calls("admin.vm.volume.CloneTo"));
    }

    [Fact]
    public async Task A_source_that_does_not_exist_is_a_usage_error()
    {
        Assert.Equal(2, await RunAsync("qvm-clone", "nobody", "new"));
        Assert.EndsWith("qvm-clone: error: no such domain: 'nobody'\n", Error, StringComparison.Ordinal);
    }
}
