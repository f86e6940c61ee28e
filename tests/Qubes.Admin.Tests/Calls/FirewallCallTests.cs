using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.QubesDb;
using Qubes.Protocol.Firewall;
using Qubes.Protocol.QubesDb;

namespace Qubes.Admin.Tests.Calls;

public sealed class FirewallCallTests
{
    [Fact]
    public async Task Admin_vm_firewall_Get()
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.Equal("0\0action=accept\n", await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"));
        Assert.Equal("2\0ProtocolError\0\0expected destination to not be AdminVM\0", await fixture.CallAsync("admin.vm.firewall.Get"));
        Assert.Equal("2\0ProtocolError\0\0unexpected argument\0", await fixture.CallAsync("admin.vm.firewall.Get", "x", "work"));
        Assert.Equal("2\0ProtocolError\0\0unexpected payload\0", await fixture.CallAsync("admin.vm.firewall.Get", "", "work", "x"));
    }

    [Fact]
    public async Task Admin_vm_firewall_Set()
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.firewall.Set", "", "work", "dst4=1.2.3.4 action=accept\naction=drop proto=tcp dstports=80 comment=a b"));
        Assert.Equal("0\0action=accept dst4=1.2.3.4/32\naction=drop proto=tcp dstports=80-80 comment=a b\n",
            await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"));
        Assert.Contains("<property name=\"dstports\">80</property>", File.ReadAllText(FileOf(fixture, "work")), StringComparison.Ordinal);
        Assert.Equal(1, fixture.Commits);

        Assert.Equal("2\0ProtocolError\0\0expected payload\0", await fixture.CallAsync("admin.vm.firewall.Set", "", "work"));
        Assert.Equal("2\0ProtocolError\0\0Rules contains non-ASCII characters\0", await fixture.CallAsync("admin.vm.firewall.Set", "", "work", "action=drop comment=\u00e4"));
        Assert.Equal("2\0QubesValueError\0\0Not a firewall option: ''\0", await fixture.CallAsync("admin.vm.firewall.Set", "", "work", "action=drop\n\n"));
        Assert.Equal("2\0QubesValueError\0\0Unknown firewall option: 'x'\0", await fixture.CallAsync("admin.vm.firewall.Set", "", "work", "action=drop x=1"));
        Assert.Equal("2\0QubesValueError\0\0Ports out of range\0", await fixture.CallAsync("admin.vm.firewall.Set", "", "work", "action=drop proto=tcp dstports=65536"));
        Assert.Equal("2\0ProtocolError\0\0expected destination to not be AdminVM\0", await fixture.CallAsync("admin.vm.firewall.Set", "", "dom0", "action=drop"));
        Assert.Contains("dst4=1.2.3.4/32", await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rules_that_cannot_be_saved_do_not_hold()
    {
        await using AdminFixture fixture = await StartAsync();
        Directory.Delete(Path.GetDirectoryName(FileOf(fixture, "work"))!);
        string reply = await fixture.CallAsync("admin.vm.firewall.Set", "", "work", "action=drop");
        Assert.StartsWith("2\0QubesException\0\0firewall save error: ", reply, StringComparison.Ordinal);
        Assert.Equal("0\0action=accept\n", await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"));
    }

    [Fact]
    public async Task Admin_vm_firewall_Reload()
    {
        await using AdminFixture fixture = await StartAsync();
        List<string> events = await RecordAsync(fixture);
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.firewall.Reload", "", "work"));
        Assert.Equal(["work"], events);
        Assert.Equal("2\0ProtocolError\0\0expected destination to not be AdminVM\0", await fixture.CallAsync("admin.vm.firewall.Reload"));
        Assert.Equal("2\0ProtocolError\0\0unexpected payload\0", await fixture.CallAsync("admin.vm.firewall.Reload", "", "work", "x"));
    }

    [Fact]
    public async Task Permission_is_asked_with_the_rules()
    {
        await using AdminFixture fixture = await StartAsync();
        object? rules = null;
        await fixture.OnLoopAsync(app => app.Events.On(EmitterClass.AdminVM, "admin-permission:admin.vm.firewall.Set",
            e => rules = e.Arguments["rules"]));
        await fixture.CallAsync("admin.vm.firewall.Set", "", "work", "action=drop");
        Assert.Equal([FirewallRuleParser.Parse("action=drop")], (IEnumerable<FirewallRule>)rules!);
    }

    [Fact]
    public async Task Expired_rules_vanish_on_time_from_answers_file_and_netvm()
    {
        await using AdminFixture fixture = await StartAsync();
        List<string> events = await RecordAsync(fixture);
        long soon = fixture.Time.GetUtcNow().ToUnixTimeSeconds() + 300;
        await fixture.CallAsync("admin.vm.firewall.Set", "", "work", $"action=accept expire={soon}\naction=drop\naction=accept expire=1");
        Assert.Equal($"0\0action=accept expire={soon}\naction=drop\n", await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"));
        Assert.DoesNotContain(">1<", File.ReadAllText(FileOf(fixture, "work")), StringComparison.Ordinal);
        events.Clear();

        // Each step lets the timer that was set on the loop fire.
        for (int i = 0; i < 5; i++)
        {
            Assert.Empty(events);
            fixture.Time.Advance(TimeSpan.FromMinutes(1));
            await fixture.OnLoopAsync(_ => { });
        }

        Assert.Equal(["work"], events);
        Assert.Equal("0\0action=drop\n", await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"));

        // The save that followed is over when the next one is.
        await fixture.CallAsync("admin.vm.firewall.Set", "", "work", "action=drop proto=icmp");
        Assert.DoesNotContain("expire", File.ReadAllText(FileOf(fixture, "work")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clock_that_is_set_forth_ends_rules_within_a_minute_and_one_set_back_ends_none()
    {
        await using AdminFixture fixture = await StartAsync();
        long soon = fixture.Time.GetUtcNow().ToUnixTimeSeconds() + 300;
        string rules = $"action=accept expire={soon}\naction=drop\n";
        await fixture.CallAsync("admin.vm.firewall.Set", "", "work", rules);
        fixture.Time.SetClock(TimeSpan.FromDays(-365));
        for (int i = 0; i < 10; i++)
        {
            fixture.Time.Advance(TimeSpan.FromMinutes(1));
            await fixture.OnLoopAsync(_ => { });
        }

        Assert.Equal("0\0" + rules, await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"));
        List<string> events = await RecordAsync(fixture);
        fixture.Time.SetClock(TimeSpan.FromDays(365));
        fixture.Time.Advance(TimeSpan.FromMinutes(1));
        await fixture.OnLoopAsync(_ => { });
        Assert.Equal(["work"], events);
        Assert.Equal("0\0action=drop\n", await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"));
    }

    [Fact]
    public async Task Rules_of_the_file_are_read_and_a_damaged_file_stops_everything_and_is_kept()
    {
        await using AdminFixture fixture = await StartAsync();
        FirewallFileText(fixture, "work", "<firewall version=\"2\"><rules><rule><properties><property name=\"action\">drop</property></properties></rule></rules></firewall>");
        FirewallFileText(fixture, "debian", "<firewall version=\"9\"/>");
        Assert.Equal("0\0action=drop\n", await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"));
        Assert.Equal("2\0QubesVMError\0\0Unsupported firewall.xml version: 9\0", await fixture.CallAsync("admin.vm.firewall.Get", destination: "debian"));
        Assert.Empty(await fixture.OnLoopAsync(app => ((QubesVM)app.Domains["debian"]).Firewall.EffectiveRules));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.firewall.Set", "", "debian", "action=accept"));
        Assert.Equal("0\0action=accept\n", await fixture.CallAsync("admin.vm.firewall.Get", destination: "debian"));
        string kept = Assert.Single(Directory.GetFiles(Path.GetDirectoryName(FileOf(fixture, "debian"))!, "*.damaged-*"));
        Assert.Equal("<firewall version=\"9\"/>", File.ReadAllText(kept));
    }

    [Fact]
    public async Task The_netvm_is_told_of_rules_when_they_change_and_when_it_starts()
    {
        await using AdminFixture fixture = await StartAsync();
        await fixture.AddQubeAsync("net");
        MemoryQubesDb database = new(_ => { });
        await fixture.OnLoopAsync(app =>
        {
            QubesVM net = (QubesVM)app.Domains["net"];
            Model.Network.NetworkProperties.ProvidesNetwork.Set(net, value: true);
            Model.Network.NetworkProperties.NetVM.Set((QubesVM)app.Domains["work"], net);
            net.Runtime.State = PowerState.Running;
            ((QubesVM)app.Domains["work"]).Runtime.State = PowerState.Running;
            net.QubesDb.Attach(database);
        });
        await fixture.CallAsync("admin.vm.firewall.Set", "", "work", "action=accept dst4=1.2.3.4\naction=drop dst6=::1");
        string address = await fixture.OnLoopAsync(app => ((QubesVM)app.Domains["work"]).IP!.ToString());
        string[] expected =
        [
            $"/qubes-firewall/{address}=", $"/qubes-firewall/{address}/0000=action=accept dst4=1.2.3.4/32", $"/qubes-firewall/{address}/policy=drop",
        ];
        Assert.Equal(expected, await ReadAsync(fixture, database));

        await fixture.CallAsync("admin.vm.firewall.Set", "", "work", "action=drop");
        Assert.Equal("/0000=action=drop", (await ReadAsync(fixture, database))[1][^17..]);
        await fixture.CallAsync("admin.vm.firewall.Set", "", "work", "action=accept dst4=1.2.3.4");

        MemoryQubesDb another = new(_ => { });
        await fixture.OnLoopAsync(app =>
        {
            QubesVM net = (QubesVM)app.Domains["net"];
            net.QubesDb.Attach(another);
            net.Fire("domain-qdb-create");
        });
        Assert.Equal(expected, await ReadAsync(fixture, another));
    }

    [Fact]
    public async Task A_disposable_begins_with_the_rules_of_its_template_on_disk_as_well()
    {
        await using AdminFixture fixture = await StartAsync();
        await fixture.CallAsync("admin.vm.property.Set", "template_for_dispvms", "work", "True");
        await fixture.CallAsync("admin.vm.firewall.Set", "", "work", "action=accept dst4=1.2.3.4");
        string name = (await fixture.CallAsync("admin.vm.CreateDisposable", destination: "work"))[2..];
        Directory.CreateDirectory(Path.GetDirectoryName(FileOf(fixture, name))!);
        await fixture.Loop.InvokeAsync(() => fixture.App.Domains[name].FireAsync("domain-create-on-disk"));
        await fixture.CallAsync("admin.vm.firewall.Set", "", "work", "action=accept");
        Assert.Equal("0\0action=accept dst4=1.2.3.4/32\n", await fixture.CallAsync("admin.vm.firewall.Get", destination: name));
        Assert.Equal([FirewallRuleParser.Parse("action=accept dst4=1.2.3.4")], Store.Firewall.FirewallFile.Read(FileOf(fixture, name)));
    }

    [Fact]
    public async Task Admin_vm_notes_Get()
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.notes.Get", destination: "work"));
        string file = Path.Combine(Path.GetDirectoryName(FileOf(fixture, "work"))!, "notes.txt");
        File.WriteAllBytes(file, [0xc3, 0xa4, (byte)'\n']);
        Assert.Equal("0\0\u00c3\u00a4\n", await fixture.CallAsync("admin.vm.notes.Get", destination: "work"));
        File.WriteAllBytes(file, [0xff]);
        Assert.StartsWith("2\0QubesException\0\0Failed to read notes file: ", await fixture.CallAsync("admin.vm.notes.Get", destination: "work"), StringComparison.Ordinal);
        Assert.Equal("2\0ProtocolError\0\0expected destination to not be AdminVM\0", await fixture.CallAsync("admin.vm.notes.Get"));
        Assert.Equal("2\0ProtocolError\0\0unexpected payload\0", await fixture.CallAsync("admin.vm.notes.Get", "", "work", "x"));
    }

    [Fact]
    public async Task Admin_vm_notes_Set()
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.notes.Set", "", "work", "one\ttwo\r\n\u00c2\u00a0three"));
        Assert.Equal("0\0one\ttwo_\n_three", await fixture.CallAsync("admin.vm.notes.Get", destination: "work"));
        Assert.StartsWith("2\0ProtocolError\0\0Unable to sanitise qube notes: ", await fixture.CallAsync("admin.vm.notes.Set", "", "work", "\u00ff"), StringComparison.Ordinal);
        Assert.Equal("0\0one\ttwo_\n_three", await fixture.CallAsync("admin.vm.notes.Get", destination: "work"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.notes.Set", "", "work"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.notes.Get", destination: "work"));
        Assert.Equal("2\0ProtocolError\0\0expected destination to not be AdminVM\0", await fixture.CallAsync("admin.vm.notes.Set", "", "dom0", "x"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(FileOf(fixture, "work"))!));
        Directory.Delete(Path.GetDirectoryName(FileOf(fixture, "work"))!);
        Assert.StartsWith("2\0QubesException\0\0Failed to write notes file: ", await fixture.CallAsync("admin.vm.notes.Set", "", "work", "x"), StringComparison.Ordinal);
        Assert.Equal(2, fixture.Commits);
    }

    private static async Task<AdminFixture> StartAsync()
    {
        AdminFixture fixture = await AdminFixture.StartAsync();
        foreach (string qube in (ReadOnlySpan<string>)["work", "debian"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(FileOf(fixture, qube))!);
        }

        return fixture;
    }

    private static string FileOf(AdminFixture fixture, string qube) =>
        Path.Combine(fixture.StateDirectory, qube == "debian" ? "vm-templates" : "appvms", qube, "firewall.xml");

    private static void FirewallFileText(AdminFixture fixture, string qube, string text) =>
        File.WriteAllBytes(FileOf(fixture, qube), System.Text.Encoding.UTF8.GetBytes(text));

    private static async Task<List<string>> RecordAsync(AdminFixture fixture)
    {
        List<string> events = [];
        await fixture.OnLoopAsync(app => app.Events.On(EmitterClass.LocalVM, "firewall-changed", e => events.Add(e.Subject.SubjectText)));
        return events;
    }

    private static async Task<string[]> ReadAsync(AdminFixture fixture, MemoryQubesDb database)
    {
        IReadOnlyList<QubesDbEntry> entries = await (await fixture.OnLoopAsync(_ => database.ReadAllAsync("/qubes-firewall/")));
        return [.. entries.Select(e => $"{e.Path}={System.Text.Encoding.UTF8.GetString(e.Value)}")];
    }
}
