using System.Text;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Network;
using Qubes.Protocol.Errors;
using Qubes.Protocol.QubesDb;

namespace Qubes.Lifecycle.Tests;

/// <summary>The keys a qube's database has, and when they change. The test hypervisor's qubes have theirs in this process.</summary>
public sealed class QubesDbTests : IAsyncLifetime
{
    private LifecycleFixture _fixture = null!;

    public async ValueTask InitializeAsync() => _fixture = await LifecycleFixture.StartAsync();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_qube_without_network_has_the_keys_of_every_qube()
    {
        await SetLocaltimeAsync("Europe/Berlin");
        await _fixture.StartAsync(_fixture.Work);
        SortedDictionary<string, string> entries = await EntriesAsync(_fixture.Work);
        Assert.Equal(88, entries["/qubes-random-seed"].Length);
        entries.Remove("/qubes-random-seed");
        Assert.Equal(
            new SortedDictionary<string, string>(StringComparer.Ordinal)
            {
                ["/default-user"] = "user",
                ["/name"] = _fixture.Work.Name,
                ["/qubes-base-template"] = _fixture.Template.Name,
                ["/qubes-block-devices"] = "",
                ["/qubes-debug-mode"] = "0",
                ["/qubes-timezone"] = "Europe/Berlin",
                ["/qubes-usb-devices"] = "",
                ["/qubes-vm-persistence"] = "rw-only",
                ["/qubes-vm-updateable"] = "False",
                ["/type"] = "AppVM",
            },
            entries);
    }

    [Fact]
    public async Task A_template_keeps_everything_and_has_no_template()
    {
        await _fixture.StartAsync(_fixture.Template);
        SortedDictionary<string, string> entries = await EntriesAsync(_fixture.Template);
        Assert.Equal("full", entries["/qubes-vm-persistence"]);
        Assert.Equal("True", entries["/qubes-vm-updateable"]);
        Assert.Equal("", entries["/qubes-base-template"]);
        Assert.DoesNotContain("/qubes-timezone", entries.Keys);
    }

    [Fact]
    public async Task A_qube_that_shall_not_know_its_zone_is_told_none()
    {
        await SetLocaltimeAsync("Asia/Tokyo");
        await _fixture.OnLoopAsync(() => _fixture.Template.Features.Set("anon-timezone", value: true));
        await _fixture.StartAsync(_fixture.Work);
        Assert.DoesNotContain("/qubes-timezone", (await EntriesAsync(_fixture.Work)).Keys);
    }

    [Fact]
    public async Task Network_is_told_to_both_who_gives_and_who_has_it()
    {
        QubesVM net = await NetVMAsync("net");
        await _fixture.OnLoopAsync(() =>
        {
            NetworkProperties.NetVM.Set(_fixture.Work, net);
            _fixture.Work.Features.Set("ipv6", value: true);
        });
        await _fixture.StartAsync(_fixture.Work);
        SortedDictionary<string, string> giver = await EntriesAsync(net);
        Assert.Equal(net.IP!.ToString(), giver["/qubes-netvm-network"]);
        Assert.Equal(net.IP!.ToString(), giver["/qubes-netvm-gateway"]);
        Assert.Equal("255.255.255.255", giver["/qubes-netvm-netmask"]);
        Assert.Equal("10.139.1.1", giver["/qubes-netvm-primary-dns"]);
        Assert.Equal("10.139.1.2", giver["/qubes-netvm-secondary-dns"]);
        Assert.DoesNotContain("/qubes-ip", giver.Keys);

        SortedDictionary<string, string> client = await EntriesAsync(_fixture.Work);
        Assert.Equal("00:16:3e:5e:6c:00", client["/qubes-mac"]);
        Assert.Equal(_fixture.Work.IP!.ToString(), client["/qubes-ip"]);
        Assert.Equal("255.255.255.255", client["/qubes-netmask"]);
        Assert.Equal(net.IP!.ToString(), client["/qubes-gateway"]);
        Assert.Equal("10.139.1.1", client["/qubes-primary-dns"]);
        Assert.Equal("10.139.1.2", client["/qubes-secondary-dns"]);
        Assert.Equal(_fixture.Work.IP6!.ToString(), client["/qubes-ip6"]);
        Assert.DoesNotContain("/qubes-netvm-network", client.Keys);
    }

    [Fact]
    public async Task Another_netvm_of_a_running_qube_is_told_with_all_keys_once_the_change_holds()
    {
        QubesVM first = await NetVMAsync("net1");
        QubesVM second = await NetVMAsync("net2");
        await _fixture.OnLoopAsync(() => NetworkProperties.NetVM.Set(_fixture.Work, first));
        await _fixture.StartAsync(_fixture.Work);
        await _fixture.StartAsync(second);
        Task created = _fixture.Events.NextAsync(_fixture.Work.Name, "domain-qdb-create");
        await _fixture.OnLoopAsync(async () =>
        {
            using var change = _fixture.App.Changes.Begin(new("test", "test", DateTimeOffset.UnixEpoch));
            NetworkProperties.NetVM.Set(_fixture.Work, second);
            Assert.Equal(first.IP!.ToString(), Encoding.UTF8.GetString((await _fixture.Work.QubesDb.ReadUntrustedAsync("/qubes-gateway"))!));
            change.Complete();
        });
        await created;
        Assert.Equal(second.IP!.ToString(), (await EntriesAsync(_fixture.Work))["/qubes-gateway"]);
    }

    [Fact]
    public async Task A_change_that_is_taken_back_leaves_the_database_as_it_was()
    {
        await _fixture.StartAsync(_fixture.Work);
        await _fixture.OnLoopAsync(() =>
        {
            using (_fixture.App.Changes.Begin(new("test", "test", DateTimeOffset.UnixEpoch)))
            {
                _fixture.Work.QubesDb.Write("/name", "other");
            }
        });
        Assert.Equal(_fixture.Work.Name, (await EntriesAsync(_fixture.Work))["/name"]);
    }

    [Fact]
    public async Task Extensions_add_their_keys_at_the_start_before_the_guest_runs()
    {
        List<string> order = [];
        await _fixture.OnLoopAsync(() =>
        {
            _fixture.App.Events.On(EmitterClass.QubesVM, "domain-qdb-create", qubesEvent =>
            {
                order.Add(qubesEvent.Name);
                ((QubesVM)qubesEvent.Subject).QubesDb.Write("/extension", "was here");
            });
            _fixture.App.Events.On(EmitterClass.QubesVM, "domain-unpaused", qubesEvent => order.Add(qubesEvent.Name));
        });
        await _fixture.StartAsync(_fixture.Work);
        Assert.Equal(["domain-qdb-create", "domain-unpaused"], order);
        Assert.Equal("was here", (await EntriesAsync(_fixture.Work))["/extension"]);
    }

    [Fact]
    public async Task A_watch_made_before_the_start_fires_for_its_path_and_what_is_below_it_if_it_says_so()
    {
        await _fixture.OnLoopAsync(() =>
        {
            _fixture.Work.QubesDb.Watch("/qubes-block-devices");
            _fixture.Work.QubesDb.Watch("/x/");
        });
        Task filled = _fixture.Events.NextAsync(_fixture.Work.Name, "domain-qdb-change:/qubes-block-devices");
        await _fixture.StartAsync(_fixture.Work);
        await filled;
        Task below = _fixture.Events.NextAsync(_fixture.Work.Name, "domain-qdb-change:/x/");
        await _fixture.OnLoopAsync(() => _fixture.Work.QubesDb.Write("/x/y", "1"));
        await below;
        _fixture.Events.Clear();
        await _fixture.OnLoopAsync(() =>
        {
            _fixture.Work.QubesDb.Unwatch("/x/");
            _fixture.Work.QubesDb.Write("/x/y", "2");
            _fixture.Work.QubesDb.Write("/qubes-block-devices/sda", "2");
        });
        Assert.Empty(_fixture.Events.Of(_fixture.Work.Name));
    }

    [Fact]
    public async Task A_halted_qube_has_no_database()
    {
        await _fixture.StartAsync(_fixture.Work);
        await _fixture.KillAsync(_fixture.Work);
        await _fixture.OnLoopAsync(async () =>
        {
            Assert.False(_fixture.Work.QubesDb.IsConnected);
            _fixture.Work.QubesDb.Write("/a", "goes nowhere");
            Assert.Null(await _fixture.Work.QubesDb.ReadUntrustedAsync("/a"));
            Assert.Empty(await _fixture.Work.QubesDb.ListUntrustedAsync("/"));
        });
        await _fixture.StartAsync(_fixture.Work);
        Assert.DoesNotContain("/a", (await EntriesAsync(_fixture.Work)).Keys);
    }

    [Theory]
    [InlineData("a", "")]
    [InlineData("/a/", "")]
    [InlineData("/a b", "")]
    [InlineData("/a", "\0")]
    public async Task What_no_database_can_hold_is_refused_at_once(string path, string value) =>
        await _fixture.OnLoopAsync(() => Assert.Throws<QubesException>(() => _fixture.Work.QubesDb.Write(path, value)));

    [Fact]
    public async Task The_host_has_a_database_of_its_own() => await _fixture.OnLoopAsync(async () =>
    {
        _fixture.App.Domains.AdminVM.QubesDb.Write("/a", "1");
        Assert.Equal(["/a"], await _fixture.App.Domains.AdminVM.QubesDb.ListUntrustedAsync("/"));
    });

    private async Task<QubesVM> NetVMAsync(string name)
    {
        QubesVM net = null!;
        await _fixture.OnLoopAsync(async () =>
        {
            net = await _fixture.CreateAsync(QubeClasses.AppVM, name, _fixture.Template);
            NetworkProperties.ProvidesNetwork.Set(net, true);
        });
        return net;
    }

    private async Task SetLocaltimeAsync(string zone)
    {
        Directory.CreateDirectory(_fixture.Paths.Under("etc"));
        await Task.Run(() => File.CreateSymbolicLink(_fixture.Paths.Under("etc/localtime"), "/usr/share/zoneinfo/" + zone));
    }

    private async Task<SortedDictionary<string, string>> EntriesAsync(QubesVM qube)
    {
        SortedDictionary<string, string> entries = new(StringComparer.Ordinal);
        await _fixture.OnLoopAsync(async () =>
        {
            foreach (QubesDbEntry entry in await qube.QubesDb.ReadAllUntrustedAsync("/"))
            {
                entries.Add(entry.Path, Encoding.UTF8.GetString(entry.Value));
            }
        });
        return entries;
    }
}
