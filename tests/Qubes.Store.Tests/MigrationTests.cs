using Qubes.Model.Devices;
using Qubes.Model.Volumes;

namespace Qubes.Store.Tests;

public sealed class MigrationTests
{
    public static TheoryData<string> Examples => [.. StoreExamples.Names];

    /// <summary>Each old form there is has an example of its own; what is written of it is known to the byte and loads as itself.</summary>
    [Theory]
    [MemberData(nameof(Examples))]
    public void An_old_store_is_read_and_written_in_the_form_of_today(string name)
    {
        LoadedStore store = new(StoreExamples.Old(name));
        Assert.Empty(store.App.Problems);
        Assert.Equal(StoreExamples.Now(name), store.Written);
        LoadedStore again = new(store.Written);
        Assert.Empty(again.App.Problems);
        Assert.Equal(store.Written, again.Written);
    }

    [Theory]
    [InlineData("yes", "hvm")]
    [InlineData("no", "pv")]
    [InlineData("empty", "pv")]
    [InlineData("both", "pvh")]
    public void The_old_hvm_flag_becomes_a_mode(string qube, string mode) =>
        Assert.Equal($"default=False type=str {mode}", new LoadedStore(StoreExamples.Old("hvm")).Read(qube, "virt_mode"));

    [Theory]
    [InlineData("yes", "True")]
    [InlineData("no", "False")]
    [InlineData("both", "False")]
    public void Dispvm_allowed_was_renamed(string qube, string value) => Assert.Equal(
        $"default=False type=bool {value}", new LoadedStore(StoreExamples.Old("dispvm-allowed")).Read(qube, "template_for_dispvms"));

    [Theory]
    [InlineData("""<property name="hvm">perhaps</property>""")]
    [InlineData("""<property name="dispvm_allowed">2</property>""")]
    public void Old_flags_that_are_neither_yes_nor_no_set_the_qube_aside(string property)
    {
        LoadedStore store = Load(property);
        Assert.Equal("dom0 fedora", store.Names);
        Assert.Contains(property, store.Written, StringComparison.Ordinal);
    }

    [Fact]
    public void What_stood_at_a_renamed_property_is_kept_with_it() => Assert.Contains(
        """<property name="virt_mode" why="old">hvm<!-- x --></property>""",
        Load("""<property name="hvm" why="old">1<!-- x --></property>""").Written, StringComparison.Ordinal);

    [Fact]
    public void A_default_dispvm_that_is_no_template_for_disposables_becomes_none()
    {
        LoadedStore store = new(StoreExamples.Old("disposable-templates"));
        Assert.Equal("default=False type=vm ", LoadedStore.Read(store.App, "default_dispvm"));
        Assert.Equal("default=False type=vm disp", LoadedStore.Read(store.App, "management_dispvm"));
        Assert.Equal("default=False type=vm ", store.Read("dom0", "default_dispvm"));
        Assert.Equal("default=False type=vm ", store.Read("disp", "default_dispvm"));
        Assert.Equal("default=False type=vm disp", store.Read("work", "default_dispvm"));
        Assert.Equal("default=False type=vm ", store.Read("work", "management_dispvm"));
    }

    [Theory]
    [InlineData("fw-netvm", "default=False type=vm ", "default=False type=vm sys-net", "default=True type=vm sys-firewall")]
    [InlineData("fw-netvm-alone", "default=False type=vm ", "default=False type=vm sys-net", "default=True type=vm ")]
    [InlineData("fw-netvm-gone", "default=False type=vm ", "default=True type=vm sys-net", "default=True type=vm sys-net")]
    [InlineData("fw-netvm-itself", "default=False type=vm ", "default=False type=vm sys-net", "default=True type=vm sys-firewall")]
    [InlineData("fw-netvm-same", "default=False type=vm ", "default=True type=vm sys-net", "default=True type=vm sys-net")]
    public void The_netvm_of_network_qubes_is_kept_though_its_global_property_is_gone(string name, string net, string firewall, string work)
    {
        LoadedStore store = new(StoreExamples.Old(name));
        Assert.Equal((net, firewall, work), (store.Read("sys-net", "netvm"), store.Read("sys-firewall", "netvm"), store.Read("work", "netvm")));
    }

    [Fact]
    public void The_old_gray_of_the_system_gets_the_new_one_and_nobody_else_s()
    {
        LoadedStore store = new(StoreExamples.Old("gray"));
        Assert.Equal("0x555555", store.App.Labels.Find("gray").Color);
        Assert.Equal("0x555753", store.App.Labels.Find("mine").Color);
    }

    [Fact]
    public void Old_device_assignments_are_understood()
    {
        DeviceAssignment[] devices = [.. new LoadedStore(StoreExamples.Old("devices")).Qube("work").Devices.All];
        Assert.Equal(
            ["dom0:00_01.0:*", "dom0:00_02.0:*", "dom0:00_03.0:*", "dom0:00_04.0:0x8086:0x1::p020000", "*:sda1:*", "sys-usb:*:0x1:0x2::u080650"],
            devices.Select(d => d.ToString()));
        Assert.Equal(["required", "auto-attach", "required", "required", "required", "auto-attach"], devices.Select(d => d.Mode));
        Assert.Equal([new("no-strict-reset", "True"), new("permissive", "")], devices[3].Options);
    }

    [Fact]
    public void An_old_assignment_that_neither_requires_nor_not_is_set_aside()
    {
        LoadedStore store = Load(rest: """<devices class="pci"><device backend-domain="dom0" id="1" required="maybe"/></devices>""");
        Assert.Empty(store.Qube("work").Devices.All);
        Assert.Contains("""<device backend-domain="dom0" id="1" required="maybe"/>""", store.Written, StringComparison.Ordinal);
        Assert.Contains("mode 'maybe'", Assert.Single(store.App.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void The_volume_of_a_kernel_is_no_snapshot()
    {
        LoadedStore store = new(StoreExamples.Old("volumes"));
        foreach (string qube in (string[])["base", "work"])
        {
            Assert.True(store.Qube(qube).Volumes.TryGet("kernel", out VolumeConfig? kernel));
            Assert.Equal((false, false), (kernel.SnapOnStart, kernel.SourceFromTemplate));
        }

        Assert.True(store.Qube("work").Volumes.TryGet("root", out VolumeConfig? root));
        Assert.Equal((true, "vm-templates/base/root"), (root.SnapOnStart, root.Source));
    }

    [Fact]
    public void An_empty_backup_time_is_none() =>
        Assert.Equal("default=False type=int ", Load("""<property name="backup_timestamp"></property>""").Read("work", "backup_timestamp"));

    private static LoadedStore Load(string properties = "", string globals = "", string rest = "") => new(
        StoreText.Head(globals) + string.Join('\n', StoreText.Dom0, StoreText.Fedora, StoreText.AppVM("work", 2, properties, rest)) + StoreText.Tail());
}
