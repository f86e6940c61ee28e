using Qubes.Model.Devices;

namespace Qubes.Store.Tests;

public sealed class MigrationTests
{
    [Theory]
    [InlineData("True", "hvm")]
    [InlineData("False", "pv")]
    public void The_old_hvm_flag_becomes_a_mode(string old, string mode) =>
        Assert.Equal($"default=False type=str {mode}", Load($"""<property name="hvm">{old}</property>""").Read("work", "virt_mode"));

    [Fact]
    public void Dispvm_allowed_was_renamed() => Assert.Equal(
        "default=False type=bool True", Load("""<property name="dispvm_allowed">True</property>""").Read("work", "template_for_dispvms"));

    [Fact]
    public void A_default_dispvm_that_is_no_template_for_disposables_becomes_none()
    {
        LoadedStore store = Load("""<property name="default_dispvm">fedora</property>""", """<property name="default_dispvm">fedora</property>""");
        Assert.Equal("default=False type=vm ", store.Read("work", "default_dispvm"));
        Assert.Equal("default=False type=vm ", LoadedStore.Read(store.App, "default_dispvm"));
    }

    [Fact]
    public void The_netvm_of_network_qubes_is_kept_though_its_global_property_is_gone()
    {
        LoadedStore store = new(StoreText.Head("""<property name="default_netvm">fw</property><property name="default_fw_netvm">net</property>""")
            + string.Join(
                '\n',
                StoreText.Dom0,
                StoreText.Fedora,
                StoreText.AppVM("net", 2, """<property name="provides_network">True</property><property name="netvm"></property>"""),
                StoreText.AppVM("fw", 3, """<property name="provides_network">True</property>"""),
                StoreText.AppVM("work", 4)) + StoreText.Tail());
        Assert.Equal("default=False type=vm net", store.Read("fw", "netvm"));
        Assert.Equal("default=False type=vm ", store.Read("net", "netvm"));
        Assert.Equal("default=True type=vm fw", store.Read("work", "netvm"));
        Assert.Empty(store.App.Problems);
        Assert.DoesNotContain("default_fw_netvm", store.Written, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_label_in_the_old_gray_gets_the_new_one()
    {
        LoadedStore store = new(
            """
            <qubes><labels><label id="label-5" color="0x555753">gray</label><label id="label-9" color="0x555753">mine</label></labels><domains/></qubes>
            """);
        Assert.Equal("0x555555", store.App.Labels.Find("gray").Color);
        Assert.Equal("0x555753", store.App.Labels.Find("mine").Color);
    }

    [Fact]
    public void Old_device_assignments_are_understood()
    {
        LoadedStore store = Load(rest:
            """
            <devices class="pci">
              <device backend-domain="dom0" id="a" required="True"/>
              <device backend-domain="dom0" id="b" required="no"><option name="identity">8086:1</option><option name="x">y</option></device>
              <device id="c"/>
            </devices>
            """);
        DeviceAssignment[] devices = [.. store.Qube("work").Devices.All];
        Assert.Equal(["required", "auto-attach", "required"], devices.Select(d => d.Mode));
        Assert.Equal("8086:1", devices[1].DeviceId);
        Assert.Equal("x", Assert.Single(devices[1].Options).Key);
        Assert.Equal("*", devices[2].Backend);
    }

    [Fact]
    public void An_empty_backup_time_is_none() =>
        Assert.Equal("default=False type=int ", Load("""<property name="backup_timestamp"></property>""").Read("work", "backup_timestamp"));

    private static LoadedStore Load(string properties = "", string globals = "", string rest = "") => new(
        StoreText.Head(globals) + string.Join('\n', StoreText.Dom0, StoreText.Fedora, StoreText.AppVM("work", 2, properties, rest)) + StoreText.Tail());
}
