using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Lifecycle.Network;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Network;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Protocol.QubesDb;

namespace Qubes.Lifecycle.Tests;

/// <summary>What a netvm is told of its clients, and what becomes of a client whose netvm is changed while it is paused.</summary>
public sealed class NetVMTests : IAsyncLifetime
{
    private const string Set = "property-set:netvm";

    private LifecycleFixture _fixture = null!;
    private QubesVM _first = null!;
    private QubesVM _second = null!;

    private QubesVM Work => _fixture.Work;

    public async ValueTask InitializeAsync()
    {
        _fixture = await LifecycleFixture.StartAsync();
        await _fixture.OnLoopAsync(async () =>
        {
            _ = new DeferredNetwork(_fixture.App, CommitAsync, services: null, TimeProvider.System, NullLogger.Instance);
            _first = await NetVMAsync("net1");
            _second = await NetVMAsync("net2");
            NetworkProperties.NetVM.Set(Work, _first);
        });
        await _fixture.StartAsync(_second);
        await _fixture.StartAsync(Work);
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_netvm_knows_the_addresses_behind_it_and_what_their_owners_believe()
    {
        await _fixture.OnLoopAsync(() => Work.Features.Set("net.fake-ip", "192.168.7.7"));
        await _fixture.OnLoopAsync(() => NetworkProperties.NetVM.Set(Work, _second));
        IDictionary<string, string> giver = await EntriesAsync(_second);
        Assert.Equal("192.168.7.7", giver["/connected-ips"]);
        Assert.Equal("", giver["/connected-ips6"]);
        Assert.Equal("192.168.7.7", giver[$"/mapped-ip/{Work.IP}/visible-ip"]);
        Assert.Equal(_second.IP!.ToString(), giver[$"/mapped-ip/{Work.IP}/visible-gateway"]);
        Assert.Equal("", (await EntriesAsync(_first))["/connected-ips"]);
    }

    [Fact]
    public async Task A_netvm_that_starts_is_told_of_all_its_clients()
    {
        IDictionary<string, string> giver = await EntriesAsync(_first);
        Assert.Equal(Work.IP!.ToString(), giver["/connected-ips"]);
        Assert.Equal(Work.IP!.ToString(), giver[$"/mapped-ip/{Work.IP}/visible-ip"]);
    }

    [Fact]
    public async Task More_addresses_than_an_entry_holds_leave_out_those_of_halted_qubes()
    {
        await _fixture.OnLoopAsync(() =>
        {
            for (int number = 0; number < 300; number++)
            {
                QubesVM other = (QubesVM)_fixture.App.Domains.Create(new NewQube
                {
                    Class = QubeClasses.AppVM, Name = QubeName.Parse($"client{number}"), Label = _fixture.App.Labels.Find("red"),
                    Template = _fixture.Template,
                });
                NetworkProperties.NetVM.Set(other, _second);
            }

            NetworkProperties.NetVM.Set(Work, _second);
        });
        string[] addresses = (await EntriesAsync(_second))["/connected-ips"].Split(' ');
        Assert.Equal(Work.IP!.ToString(), addresses[0]);
        Assert.InRange(addresses.Length, 200, 300);
        Assert.All(addresses, address => Assert.True(System.Net.IPAddress.TryParse(address, out _)));
    }

    [Fact]
    public async Task A_running_qube_cannot_get_a_halted_netvm()
    {
        await _fixture.KillAsync(_second);
        await _fixture.OnLoopAsync(() =>
        {
            QubesException refused = Assert.Throws<QubesException>(() => NetworkProperties.NetVM.Set(Work, _second));
            Assert.True(refused.Is(QubesErrorNames.VMNotStarted));
            Assert.Equal($"Cannot dynamically attach to stopped qube {_second.Name}", refused.Message);
            Assert.Same(_first, Work.NetVM);
        });
    }

    [Fact]
    public async Task A_change_while_paused_is_repeated_when_the_qube_goes_on()
    {
        await PausedMoveAsync();
        Assert.Equal(_first.Name.Value, await DeferredAsync());
        Task repeated = _fixture.Events.NextAsync(Work.Name, Set);
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.UnpauseAsync(Work));
        await repeated;
        Assert.Null(await DeferredAsync());
    }

    [Fact]
    public async Task Several_changes_while_paused_remember_the_netvm_that_is_still_connected()
    {
        await PausedMoveAsync();
        await _fixture.OnLoopAsync(() => NetworkProperties.NetVM.Set(Work, null));
        Assert.Equal(_first.Name.Value, await DeferredAsync());
    }

    [Fact]
    public async Task Having_had_no_netvm_is_remembered_too()
    {
        await _fixture.OnLoopAsync(() => NetworkProperties.NetVM.Set(Work, null));
        await PausedMoveAsync();
        Assert.Equal("", await DeferredAsync());
    }

    [Fact]
    public async Task A_change_to_a_netvm_that_has_ended_waits_for_its_start()
    {
        await PausedMoveAsync();
        await _fixture.KillAsync(_second);
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.UnpauseAsync(Work));
        Assert.Equal(_first.Name.Value, await DeferredAsync());
        Task repeated = _fixture.Events.NextAsync(Work.Name, Set);
        await _fixture.StartAsync(_second);
        await repeated;
        Assert.Null(await DeferredAsync());
    }

    [Fact]
    public async Task The_end_of_the_qube_is_the_end_of_what_was_put_off()
    {
        await PausedMoveAsync();
        await _fixture.KillAsync(Work);
        Assert.Null(await DeferredAsync());
    }

    private async Task PausedMoveAsync()
    {
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.PauseAsync(Work));
        await _fixture.OnLoopAsync(() => NetworkProperties.NetVM.Set(Work, _second));
    }

    private Task<string?> DeferredAsync() => _fixture.OnLoopAsync(() => Work.Features.Get(NetworkFeatures.Deferred));

    private async Task<QubesVM> NetVMAsync(string name)
    {
        QubesVM net = await _fixture.CreateAsync(QubeClasses.AppVM, name, _fixture.Template);
        NetworkProperties.ProvidesNetwork.Set(net, true);
        return net;
    }

    private async Task<IDictionary<string, string>> EntriesAsync(QubesVM qube)
    {
        Dictionary<string, string> entries = new(StringComparer.Ordinal);
        await _fixture.OnLoopAsync(async () =>
        {
            foreach (QubesDbEntry entry in await qube.QubesDb.ReadAllUntrustedAsync("/"))
            {
                entries.Add(entry.Path, Encoding.UTF8.GetString(entry.Value));
            }
        });
        return entries;
    }

    private static Task CommitAsync(ModelChange change)
    {
        change.Complete();
        return Task.CompletedTask;
    }
}
