using Qubes.Model.Classes;
using Qubes.Model.Properties;

namespace Qubes.Model.Tests.Properties;

/// <summary>The lists clients see, in their order.</summary>
public sealed class ListTests
{
    private const string Standalone =
        "autostart backup_timestamp debug default_user devices_denied dns gateway gateway6 icon include_in_backups installed_by_rpm ip ip6 "
        + "kernel keyboard_layout klass label mac maxmem memory name provides_network qid qrexec_timeout shutdown_timeout start_time stubdom_mem "
        + "stubdom_uuid stubdom_xid template_for_dispvms updateable uuid vcpus virt_mode visible_gateway visible_gateway6 visible_ip visible_ip6 "
        + "visible_netmask xid audiovm bootmode default_dispvm guivm kernelopts management_dispvm netvm";

    [Fact]
    public void Dom0_has_its_twelve_properties() => Check(
        QubeClasses.AdminVM,
        "devices_denied icon include_in_backups keyboard_layout klass label maxmem name qid updateable uuid default_dispvm");

    [Fact]
    public void A_standalone_qube_has_its_forty_seven_properties() => Check(QubeClasses.StandaloneVM, Standalone);

    [Fact]
    public void An_app_qube_has_a_template_besides() => Check(QubeClasses.AppVM, Standalone + " template");

    [Fact]
    public void A_template_serves_no_disposables_but_sets_a_boot_mode() => Check(
        QubeClasses.TemplateVM,
        Standalone.Replace(" template_for_dispvms", "", StringComparison.Ordinal).Replace(" audiovm", " appvm_default_bootmode audiovm", StringComparison.Ordinal));

    [Fact]
    public void A_disposable_has_its_fifty_properties() => Check(
        QubeClasses.DispVM,
        "auto_cleanup " + Standalone.Replace(" template_for_dispvms", "", StringComparison.Ordinal)
            .Replace(" dns", " dispid dns", StringComparison.Ordinal)
            .Replace(" kernel keyboard", " is_preload kernel keyboard", StringComparison.Ordinal) + " template");

    [Fact]
    public void The_application_has_its_properties() => Assert.Equal(
        "check_updates_vm clockvm default_audiovm default_dispvm default_guivm default_kernel default_netvm default_pool default_pool_kernel "
        + "default_pool_private default_pool_root default_pool_volatile default_qrexec_timeout default_shutdown_timeout default_template "
        + "management_dispvm maxmem no_cpus stats_interval updatevm",
        Names(QubesAppProperties.Table));

    [Fact]
    public void Every_property_has_help()
    {
        foreach (PropertyDefinition property in QubeClasses.All.SelectMany(c => c.Properties.InListOrder).Concat(QubesAppProperties.Table.InListOrder))
        {
            Assert.NotEqual("", property.Help);
        }
    }

    private static void Check(QubeClass qubeClass, string names) => Assert.Equal(names, Names(qubeClass.Properties));

    private static string Names(PropertyTable table) => string.Join(' ', table.InListOrder.Select(p => p.Name));
}
