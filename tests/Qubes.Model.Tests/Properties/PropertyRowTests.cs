using Qubes.Model.Classes;
using Qubes.Model.Properties;
using Qubes.Protocol.Errors;
using static Qubes.Model.Tests.TestSystem;

namespace Qubes.Model.Tests.Properties;

/// <summary>
/// Every property of every class as clients know it: type word, default, a value it takes and how it reads back, a value it
/// refuses and with which text. The names in their order are the business of <see cref="ListTests"/>.
/// </summary>
public sealed class PropertyRowTests
{
    private const string Refused = "!";

    // name | type word | default | value to set = how it reads back | value refused = text (a prefix)
    // A default of "-" is none at all; "!" for a value to set: the property cannot be set.
    private const string QubeRows = """
        audiovm | vm | dom0 | net=net | gone=Can't set audiovm to non-existing qube gone
        autostart | bool | False | YES=True | maybe=Invalid literal for boolean property: 'maybe'
        backup_timestamp | int | | 1700000000=1700000000 | soon=Failed to parse property value as int
        bootmode | str | default | rescue=rescue |
        debug | bool | False | 1=True | =Invalid literal for boolean property: ''
        default_user | str | user | a_b-c+d,e.f=a_b-c+d,e.f | a b=Username can contain only those characters: abc
        devices_denied | str | | p02****b******p02****=b******p02**** | p02=Invalid length
        dns | str | | ! |
        gateway | str | | ! |
        gateway6 | str | | ! |
        guivm | vm | dom0 | one=one | far=wrong VM class: domains['far'] is of type RemoteVM and not LocalVM
        include_in_backups | bool | True | off=False | 2=Invalid literal for boolean property: '2'
        installed_by_rpm | bool | False | True=True | x=Invalid literal for boolean property: 'x'
        ip | str | | 10.1.2.3=10.1.2.3 | 10.01.2.3=Failed to parse property value as IPv4Address
        ip6 | str | | FD00:0::1=fd00::1 | 10.1.2.3=Failed to parse property value as IPv6Address
        kernel | str | | 6.1=6.1 | a/b=Kernel name cannot contain '/'
        kernelopts | str | | nopat quiet=nopat quiet | LONG513=Kernelopts value too long (512 chars max)
        keyboard_layout | str | us++ | de+nodeadkeys+caps:x,y=de+nodeadkeys+caps:x,y | de=Invalid number of parts
        label | label | red | 6=blue | teal=Label does not exist: teal
        mac | str | 00:16:3e:5e:6c:00 | 00:16:3E:5E:6C:07=00:16:3e:5e:6c:07 | 00-16-3e-5e-6c-07=Invalid MAC address
        management_dispvm | vm | | dvm=dvm | one=Cannot set invalid property to qube 'one', management_dispvm 'one' has template_for_dispvms set to False
        maxmem | int | 0 | 0=0 | -1=maxmem must be positive or zero
        memory | int | 400 | 1_000=1000 | 0=memory must be positive
        netvm | vm | | net=net | dvm=The dvm qube does not provide network
        provides_network | bool | False | on=True | y=Invalid literal for boolean property: 'y'
        qrexec_timeout | int | 60 | +5=5 | -5=qrexec_timeout must be positive
        shutdown_timeout | int | 60 | 7=7 | 0=shutdown_timeout must be positive
        start_time | str | | ! |
        stubdom_mem | int | | 128=128 | 0=stubdom_mem must be positive
        stubdom_uuid | str | | ! |
        stubdom_xid | int | -1 | ! |
        vcpus | int | 2 | 16=16 | 1.5=Failed to parse property value as int
        virt_mode | str | pvh | HVM=hvm | kvm=Invalid virtualization mode, supported values: hvm, pv, pvh
        visible_gateway | str | | ! |
        visible_gateway6 | str | | ! |
        visible_ip | str | | ! |
        visible_ip6 | str | | ! |
        visible_netmask | str | | ! |
        xid | int | -1 | ! |
        """;

    private const string Dom0Rows = """
        default_dispvm | vm | | dvm=dvm | net=Cannot set invalid property to qube 'dom0', default_dispvm 'net' has template_for_dispvms set to False
        devices_denied | str | | m******=m****** | x******=Invalid interface encoding: 'x******'
        icon | str | adminvm-black | ! |
        include_in_backups | bool | True | no=False | x=Invalid literal for boolean property: 'x'
        keyboard_layout | str | us++ | pl+dvorak+=pl+dvorak+ | +=Invalid number of parts
        klass | str | AdminVM | ! |
        label | label | black | red=red | =Label does not exist:
        maxmem | int | 4096 | ! |
        name | str | dom0 | ! |
        qid | int | 0 | ! |
        updateable | bool | True | ! |
        uuid | str | 00000000-0000-0000-0000-000000000000 | ! |
        """;

    private const string RemoteRows = """
        icon | str | remotevm-red | ! |
        include_in_backups | bool | False | yes=True | x=Invalid literal for boolean property: 'x'
        klass | str | RemoteVM | ! |
        label | label | red | blue=blue | teal=Label does not exist: teal
        relayvm | vm | | dom0=dom0 | far=wrong VM class: domains['far'] is of type RemoteVM and not LocalVM
        remote_name | str | | work=work |
        transport_rpc | str | | qubesair.SSH=qubesair.SSH |
        """;

    private const string GlobalRows = """
        check_updates_vm | bool | True | no=False | x=Invalid literal for boolean property: 'x'
        clockvm | vm | | net=net | far=wrong VM class: domains['far'] is of type RemoteVM and not LocalVM
        default_audiovm | vm | dom0 | net=net | gone=Can't set default_audiovm to non-existing qube gone
        default_dispvm | vm | | dvm=dvm | net=Cannot set invalid property to system, default_dispvm 'net' has template_for_dispvms set to False
        default_guivm | vm | dom0 | = | none=VM name cannot be 'none' nor 'default'
        default_kernel | str | - | 6.1=6.1 |
        default_netvm | vm | | net=net | dom0=wrong VM class: domains['dom0'] is of type AdminVM and not QubesVM
        default_pool | str | - | fast=fast | nowhere=No such storage pool
        default_pool_kernel | str | - | fast=fast | nowhere=No such storage pool
        default_pool_private | str | - | fast=fast | nowhere=No such storage pool
        default_pool_root | str | - | fast=fast | nowhere=No such storage pool
        default_pool_volatile | str | - | fast=fast | nowhere=No such storage pool
        default_qrexec_timeout | int | 60 | -1=-1 | x=Failed to parse property value as int
        default_shutdown_timeout | int | 60 | 0=0 | 0x10=Failed to parse property value as int
        default_template | vm | fedora | fedora=fedora | net=wrong VM class: domains['net'] is of type AppVM and not TemplateVM
        management_dispvm | vm | | dvm=dvm | dom0=Cannot set invalid property to system, management_dispvm 'dom0' has template_for_dispvms set to False
        maxmem | int | 4096 | ! |
        no_cpus | int | 1 | ! |
        stats_interval | int | 3 | 0=0 | =Failed to parse property value as int
        updatevm | vm | | dom0=dom0 | default=VM name cannot be 'none' nor 'default'
        """;

    // What other events a change brings, in order. Extensions add theirs: ExtensionTests.
    private static readonly Dictionary<string, string[]> SetAlso = new()
    {
        ["system clockvm"] = ["net domain-feature-pre-set:service.clocksync", "net domain-feature-set:service.clocksync"],
        ["system default_dispvm"] =
        [
            "dom0 property-reset:default_dispvm", "dvm property-reset:default_dispvm", "fedora property-reset:default_dispvm",
            "net property-reset:default_dispvm",
        ],
        ["system default_netvm"] = ["dvm property-pre-set:netvm", "dvm property-set:netvm", "dvm property-reset:netvm"],
        ["qube ip"] = ["one property-reset:visible_ip"],
        ["qube ip6"] = ["one property-reset:visible_ip6"],
        ["qube label"] = ["one property-reset:icon"],
        ["qube provides_network"] = ["one property-reset:gateway", "one property-reset:gateway6"],
        ["qube template_for_dispvms"] = ["one property-reset:icon"],
    };

    private static readonly Dictionary<string, string[]> ResetAlso = new(SetAlso.Where(e => e.Key is "system default_dispvm" or "qube ip" or "qube ip6" or "qube provides_network"));

    private readonly TestSystem _system = new();

    public PropertyRowTests()
    {
        AppVM disposableTemplate = _system.AppVM("dvm");
        DisposableTemplateProperties.TemplateForDispVMs.Set(disposableTemplate, true);
        Set(_system.NetVM("net"), "netvm", "");
        _system.Create(QubeClasses.RemoteVM, "far");
        _system.App.Pools.Set(new Volumes.PoolConfig { Name = "fast", Driver = "file" });
    }

    public static TheoryData<string> StandaloneRows => [.. Lines(QubeRows, """
        default_dispvm | vm | | dvm=dvm | net=Cannot set invalid property to qube 'one', default_dispvm 'net' has template_for_dispvms set to False
        icon | str | standalonevm-red | ! |
        klass | str | StandaloneVM | ! |
        template_for_dispvms | bool | False | 1=True | x=Invalid literal for boolean property: 'x'
        updateable | bool | True | ! |
        """)];

    public static TheoryData<string> AppRows => [.. Lines(QubeRows, """
        default_dispvm | vm | | dvm=dvm | net=Cannot set invalid property to qube 'one', default_dispvm 'net' has template_for_dispvms set to False
        icon | str | appvm-red | ! |
        klass | str | AppVM | ! |
        template | vm | fedora | fedora=fedora | =Invalid value None for property 'template' of one
        template_for_dispvms | bool | False | 1=True | x=Invalid literal for boolean property: 'x'
        updateable | bool | False | ! |
        """)];

    public static TheoryData<string> TemplateRows => [.. Lines(QubeRows, """
        appvm_default_bootmode | str | default | safe=safe |
        default_dispvm | vm | | dvm=dvm | net=Cannot set invalid property to qube 'one', default_dispvm 'net' has template_for_dispvms set to False
        icon | str | templatevm-red | ! |
        klass | str | TemplateVM | ! |
        updateable | bool | True | ! |
        """)];

    public static TheoryData<string> DisposableRows => [.. Lines(QubeRows, """
        auto_cleanup | bool | False | yes=True | x=Invalid literal for boolean property: 'x'
        default_dispvm | vm | dvm | = | net=Cannot set invalid property to qube 'one', default_dispvm 'net' has template_for_dispvms set to False
        icon | str | dispvm-red | ! |
        is_preload | bool | False | ! |
        klass | str | DispVM | ! |
        template | vm | dvm | dvm=dvm | net=template for disposable must have template_for_dispvms
        updateable | bool | False | ! |
        """)];

    public static TheoryData<string> AdminRows => [.. Lines(Dom0Rows)];

    public static TheoryData<string> FarRows => [.. Lines(RemoteRows)];

    public static TheoryData<string> SystemRows => [.. Lines(GlobalRows)];

    [Theory]
    [MemberData(nameof(StandaloneRows))]
    public void A_standalone_qube(string row) => Check(_system.Create(QubeClasses.StandaloneVM, "one"), row);

    [Theory]
    [MemberData(nameof(AppRows))]
    public void An_app_qube(string row) => Check(_system.AppVM("one"), row);

    [Theory]
    [MemberData(nameof(TemplateRows))]
    public void A_template(string row) => Check(_system.Create(QubeClasses.TemplateVM, "one"), row);

    [Theory]
    [MemberData(nameof(DisposableRows))]
    public void A_disposable(string row) => Check(_system.Disposable("one", _system.App.Domains["dvm"]), row);

    [Theory]
    [MemberData(nameof(AdminRows))]
    public void Dom0(string row) => Check(_system.Dom0, row);

    [Theory]
    [MemberData(nameof(FarRows))]
    public void A_remote_qube(string row) => Check(_system.Create(QubeClasses.RemoteVM, "one"), row);

    [Theory]
    [MemberData(nameof(SystemRows))]
    public void The_system(string row) => Check(_system.App, row);

    [Fact]
    public void No_property_is_left_out()
    {
        Assert.Equal(Known(QubeClasses.StandaloneVM), Named(StandaloneRows));
        Assert.Equal(Known(QubeClasses.AppVM), Named(AppRows));
        Assert.Equal(Known(QubeClasses.TemplateVM), Named(TemplateRows));
        Assert.Equal(Known(QubeClasses.DispVM), Named(DisposableRows));
        Assert.Equal(Known(QubeClasses.RemoteVM), Named(FarRows));
        Assert.Equal(QubeClasses.AdminVM.Properties.InListOrder.Select(p => p.Name).Order(StringComparer.Ordinal), Named(AdminRows));
        Assert.Equal(QubesAppProperties.Table.InListOrder.Select(p => p.Name).Order(StringComparer.Ordinal), Named(SystemRows));
    }

    /// <summary>Texts that could not be stored or shown are refused where they come in, whatever the property.</summary>
    [Theory]
    [InlineData("\u0000")]
    [InlineData("\u0001")]
    [InlineData("a\u000bb")]
    [InlineData("a\u000cb")]
    [InlineData("\u001b[0m")]
    [InlineData("\u007f")]
    public void Characters_xml_cannot_hold_are_refused_at_the_edge(string text)
    {
        AppVM one = _system.AppVM("one");
        foreach (PropertyDefinition property in one.Properties.InListOrder.Where(p => !p.Computed))
        {
            QubesException refused = Assert.Throws<QubesException>(() => Set(one, property.Name, text));
            Assert.True(refused.Is(QubesErrorNames.Value), $"{property.Name}: {refused.WireName}");
        }
    }

    [Theory]
    [InlineData("a\nb")]
    [InlineData("a\tb")]
    [InlineData("a\rb")]
    public void Line_ends_and_tabs_are_kept(string text)
    {
        AppVM one = _system.AppVM("one");
        Set(one, "kernelopts", text);
        Assert.Equal("default=False type=str " + text, Read(one, "kernelopts"));
    }

    private static IEnumerable<string> Lines(params string[] tables) => tables.SelectMany(t => t.Split('\n', StringSplitOptions.RemoveEmptyEntries));

    // Those that make up a qube's identity are fixed at its creation: SetResetTests, DisposableTests.
    private static IEnumerable<string> Known(QubeClass qubeClass) =>
        qubeClass.Properties.InListOrder.Select(p => p.Name).Where(n => n is not ("name" or "qid" or "uuid" or "dispid")).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Named(TheoryData<string> rows) => rows.Select(r => Cells(r.Data)[0]).Order(StringComparer.Ordinal);

    private static string[] Cells(string row) => [.. row.Split('|').Select(c => c.Trim())];

    private void Check(PropertyHolder holder, string row)
    {
        string[] cells = Cells(row);
        (string name, string word, string byDefault) = (cells[0], cells[1], cells[2]);
        PropertyDefinition property = holder.Property(name);
        bool startsExplicit = name is "label" or "template" or "default_template";
        string initial = $"default={(startsExplicit ? "False" : "True")} type={word} {(byDefault == "-" ? "" : byDefault)}";
        Assert.Equal(initial, Read(holder, name));
        Assert.Equal(byDefault is not "-" && !startsExplicit, property.TryReadDefault(holder, out _));
        if (cells[3] == Refused)
        {
            QubesException computed = Assert.Throws<QubesException>(() => property.SetInput(holder, null));
            Assert.Equal(QubesErrorNames.PropertyValue, computed.WireName);
            Assert.EndsWith("instance cannot be set", computed.Message, StringComparison.Ordinal);
            return;
        }

        if (cells[4].Length > 0)
        {
            (string bad, string text) = Pair(cells[4]);
            QubesException refused = Assert.Throws<QubesException>(() => Set(holder, name, bad == "LONG513" ? new string('x', 513) : bad));
            Assert.StartsWith(text, refused.Message, StringComparison.Ordinal);
            Assert.Equal(initial, Read(holder, name));
        }

        (string good, string readsBack) = Pair(cells[3]);
        _system.Seen.Clear();
        Set(holder, name, good);
        Assert.Equal($"default=False type={word} {readsBack}", Read(holder, name));
        CheckEvents(holder, name, ["pre-set", "set"], SetAlso);
        if (!startsExplicit)
        {
            _system.Seen.Clear();
            Reset(holder, name);
            Assert.Equal(initial, Read(holder, name));
            CheckEvents(holder, name, name == "netvm" ? ["pre-reset", "pre-set", "pre-del", "set", "reset", "del"] : ["pre-reset", "pre-del", "reset", "del"], ResetAlso);
        }
    }

    private void CheckEvents(PropertyHolder holder, string name, string[] own, Dictionary<string, string[]> also)
    {
        string subject = $"{holder.SubjectText} property-".TrimStart();
        string[] seen = [.. _system.Seen.Where(e => e.StartsWith(subject, StringComparison.Ordinal) && e.EndsWith(':' + name, StringComparison.Ordinal))];
        Assert.Equal(own.Select(e => $"{subject}{e}:{name}"), seen);
        string kind = holder is QubesVM ? "qube " : holder is Qube ? "other " : "system ";
        Assert.Equal(also.GetValueOrDefault(kind + name) ?? [], _system.Seen.Except(seen));
    }

    private static (string, string) Pair(string cell)
    {
        int equals = cell.IndexOf('=', StringComparison.Ordinal);
        return (cell[..equals], cell[(equals + 1)..]);
    }
}
