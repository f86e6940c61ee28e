using Qubes.Protocol.Errors;

namespace Qubes.Store.Tests;

/// <summary>Entries upstream dies of: the rest of the system starts, and the entry is still in the file.</summary>
public sealed class BadEntryTests
{
    [Theory]
    [InlineData("unknown class", """<domain id="domain-9" class="NoSuchVM"><properties><property name="name">bad</property></properties></domain>""")]
    [InlineData("no name", """<domain id="domain-9" class="AppVM"><properties><property name="qid">9</property></properties></domain>""")]
    public void A_qube_that_cannot_even_be_made_is_set_aside(string why, string element)
    {
        LoadedStore store = new(StoreText.Store(StoreText.Dom0, StoreText.Fedora, element, StoreText.AppVM("work", 2)));
        Assert.Equal("dom0 fedora work", store.Names);
        Assert.Single(store.App.Problems);
        Assert.Contains(element, store.Written, StringComparison.Ordinal);
        Assert.NotEqual("", why);
    }

    [Theory]
    [InlineData("""<property name="nonsense">1</property>""")]
    [InlineData("""<property name="label">pink</property>""")]
    [InlineData("""<property name="memory">much</property>""")]
    [InlineData("""<property name="memory">0</property>""")]
    [InlineData("""<property name="memory"></property>""")]
    [InlineData("""<property name="xid">5</property>""")]
    [InlineData("""<property name="netvm">gone</property>""")]
    [InlineData("""<property name="netvm">fedora</property>""")]
    [InlineData("""<property name="template">gone</property>""")]
    [InlineData("""<property name="template"></property>""")]
    [InlineData("""<property name="guivm">gone</property>""")]
    [InlineData("""<property name="default_dispvm">gone</property>""")]
    [InlineData("""<property name="qid">20000</property>""")]
    [InlineData("""<property name="qid">1</property>""")]
    [InlineData("""<property name="name">fedora</property>""")]
    [InlineData("""<property name="name">1bad</property>""")]
    [InlineData("""<property name="uuid">00000000-0000-4000-8000-000000000001</property>""")]
    [InlineData("""<property name="uuid">x</property>""")]
    public void A_qube_with_a_bad_property_is_set_aside_and_kept(string property)
    {
        string bad = StoreText.AppVM("bad", 9, property);
        LoadedStore store = new(StoreText.Store(StoreText.Dom0, StoreText.Fedora, bad, StoreText.AppVM("work", 2)));
        Assert.Equal("dom0 fedora work", store.Names);
        Assert.Single(store.App.Problems);
        Assert.Contains(bad.Trim(), store.Written, StringComparison.Ordinal);
        Assert.Equal(store.Written, new LoadedStore(store.Written).Written);
    }

    [Theory]
    [InlineData("""<tags><tag name="a b"/></tags>""")]
    [InlineData("""<volume-config><volume name="root" rw="maybe"/></volume-config>""")]
    [InlineData("""<volume-config><volume name="root" size="big"/></volume-config>""")]
    [InlineData("""<volume-config><volume rw="True"/></volume-config>""")]
    [InlineData("""<devices class="pci"><device backend-domain="dom0" id="1"/><device backend-domain="dom0" id="1"/></devices>""")]
    public void A_qube_with_a_bad_part_is_set_aside_and_kept(string part)
    {
        string bad = StoreText.AppVM("bad", 9, rest: part);
        LoadedStore store = new(StoreText.Store(StoreText.Dom0, StoreText.Fedora, bad, StoreText.AppVM("work", 2)));
        Assert.Equal("dom0 fedora work", store.Names);
        Assert.Contains(bad.Trim(), store.Written, StringComparison.Ordinal);
        Assert.Equal(store.Written, new LoadedStore(store.Written).Written);
    }

    [Fact]
    public void What_refers_to_a_qube_set_aside_is_set_aside_with_it()
    {
        LoadedStore store = new(StoreText.Head("""<property name="clockvm">a</property>""") + string.Join(
            '\n',
            StoreText.Dom0,
            StoreText.Fedora,
            StoreText.AppVM("a", 2, """<property name="provides_network">True</property><property name="kernel">a/b</property>"""),
            StoreText.AppVM("b", 3, """<property name="netvm">a</property>"""),
            StoreText.AppVM("c", 4, """<property name="guivm">b</property>"""),
            StoreText.AppVM("work", 5)) + StoreText.Tail());
        Assert.Equal("dom0 fedora work", store.Names);
        Assert.Equal("default=True type=vm ", LoadedStore.Read(store.App, "clockvm"));
        Assert.Contains("""<property name="clockvm">a</property>""", store.Written, StringComparison.Ordinal);
        Assert.Equal(store.Written, new LoadedStore(store.Written).Written);
    }

    [Fact]
    public void A_reference_to_a_qube_that_fails_late_takes_the_referrer_along()
    {
        LoadedStore store = new(StoreText.Store(
            StoreText.Dom0,
            StoreText.Fedora,
            StoreText.AppVM("a", 2, """<property name="guivm">z</property>"""),
            StoreText.AppVM("z", 3, """<property name="guivm">gone</property>""")));
        Assert.Equal("dom0 fedora", store.Names);
    }

    [Fact]
    public void Names_and_numbers_of_qubes_set_aside_are_not_given_away()
    {
        LoadedStore store = new(StoreText.Store(StoreText.Dom0, StoreText.Fedora, StoreText.AppVM("bad", 2, """<property name="memory">x</property>""")));
        Assert.True(store.App.Domains.IsNameTaken("bad"));
        Assert.Equal(3, store.App.Domains.NewQid());
    }

    [Fact]
    public void A_qube_without_uuid_gets_one_and_dom0_is_added()
    {
        LoadedStore store = new(StoreText.Store(StoreText.Fedora, StoreText.AppVM("work", 2, """<property name="uuid"></property>""")));
        Assert.Equal("dom0 fedora work", store.Names);
        Assert.NotEqual(Guid.Empty, store.App.Domains["work"].Uuid.Value);
    }

    [Fact]
    public void Of_a_property_that_is_there_twice_the_last_counts()
    {
        LoadedStore store = new(StoreText.Store(StoreText.Dom0, StoreText.Fedora, StoreText.AppVM(
            "work", 2, """<property name="memory">300</property><property name="memory">500</property>""")));
        Assert.Empty(store.App.Problems);
        Assert.Equal("default=False type=int 500", store.Read("work", "memory"));
    }

    [Fact]
    public void A_qube_without_label_can_be_given_one()
    {
        LoadedStore store = new(StoreText.Store(StoreText.Dom0, StoreText.Fedora,
            StoreText.AppVM("work", 2).Replace("""<property name="label">red</property>""", "", StringComparison.Ordinal)));
        Assert.Equal("default=True type=label ", store.Read("work", "label"));
        store.Qube("work").Property("label").SetInput(store.Qube("work"), "red");
        Assert.Equal("default=False type=label red", store.Read("work", "label"));
    }

    [Theory]
    [InlineData("default_netvm", "gone")]
    [InlineData("default_dispvm", "gone")]
    [InlineData("updatevm", "gone")]
    [InlineData("stats_interval", "often")]
    [InlineData("maxmem", "5")]
    public void A_global_property_that_cannot_be_taken_is_told_of_and_kept(string name, string value)
    {
        string entry = $"""<property name="{name}">{value}</property>""";
        LoadedStore store = new(StoreText.Head(entry) + StoreText.Dom0 + StoreText.Fedora + StoreText.Tail());
        Assert.Equal("dom0 fedora", store.Names);
        Assert.Contains(name, Assert.Single(store.App.Problems), StringComparison.Ordinal);
        Assert.Contains(entry, store.Written, StringComparison.Ordinal);
        Assert.Equal(store.Written, new LoadedStore(store.Written).Written);
    }

    [Fact]
    public void Unknown_global_properties_and_unusable_pools_are_kept()
    {
        LoadedStore store = new(StoreText.Head("""<property name="from_the_future">1</property>""")
            .Replace("</pools>", """<pool dir_path="/x"/></pools>""", StringComparison.Ordinal) + StoreText.Dom0 + StoreText.Fedora + StoreText.Tail());
        Assert.Equal(2, store.App.Problems.Count);
        Assert.Contains("""<property name="from_the_future">1</property>""", store.Written, StringComparison.Ordinal);
        Assert.Contains("""<pool dir_path="/x"/>""", store.Written, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_in_an_unknown_mode_is_not_used_but_kept()
    {
        LoadedStore store = new(StoreText.Store(StoreText.Dom0, StoreText.Fedora, StoreText.AppVM(
            "work", 2, rest: """<devices class="pci"><device backend-domain="dom0" id="1" mode="tomorrow"/></devices>""")));
        Assert.Empty(store.Qube("work").Devices.All);
        Assert.Contains("tomorrow", store.Written, StringComparison.Ordinal);
        Assert.Equal(store.Written, new LoadedStore(store.Written).Written);
    }

    [Fact]
    public void A_network_loop_is_cut_open_and_reported()
    {
        const string gives = """<property name="provides_network">True</property>""";
        LoadedStore store = new(StoreText.Store(
            StoreText.Dom0,
            StoreText.Fedora,
            StoreText.AppVM("a", 2, gives + """<property name="netvm">b</property>"""),
            StoreText.AppVM("b", 3, gives + """<property name="netvm">a</property>"""),
            StoreText.AppVM("c", 4, gives + """<property name="netvm">c</property>""")));
        Assert.Equal("default=False type=vm ", store.Read("a", "netvm"));
        Assert.Equal("default=False type=vm a", store.Read("b", "netvm"));
        Assert.Equal("default=False type=vm ", store.Read("c", "netvm"));
        Assert.Equal(2, store.App.Problems.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<qubes>")]
    [InlineData("<qubes/>")]
    [InlineData("<other/>")]
    [InlineData("<qubes><domains/></qubes><more/>")]
    [InlineData("<!DOCTYPE x [<!ENTITY a \"b\">]><qubes><domains/></qubes>")]
    public void A_text_that_is_no_store_is_refused(string text) => Assert.Throws<QubesException>(() => new LoadedStore(text));
}
