using Qubes.Model.Classes;
using Qubes.Model.Network;
using Qubes.Protocol.Errors;
using static Qubes.Model.Tests.TestSystem;

namespace Qubes.Model.Tests.Network;

public sealed class NetworkTests
{
    private readonly TestSystem _system = new();

    [Theory]
    [InlineData(1, "10.137.0.1")]
    [InlineData(254, "10.137.0.254")]
    [InlineData(255, "10.137.1.1")]
    [InlineData(508, "10.137.1.254")]
    [InlineData(509, "10.137.2.1")]
    [InlineData(9999, "10.137.39.93")]
    public void Numbers_become_addresses_that_avoid_0_and_255(int qid, string address) =>
        Assert.Equal(address, QubesNetwork.AddressOf(QubesNetwork.QubePrefix, qid).ToString());

    [Fact]
    public void Ipv6_addresses_hold_the_number_in_hex() =>
        Assert.Equal("fd09:24ef:4179::a89:ff", QubesNetwork.Address6Of(QubesNetwork.QubePrefix, 255).ToString());

    [Fact]
    public void Addresses_exist_only_with_network()
    {
        AppVM net = _system.NetVM("net");
        AppVM work = _system.AppVM("work");
        Assert.Equal("default=True type=str ", Read(work, "ip"));
        Assert.Equal("default=True type=str ", Read(work, "dns"));
        Set(work, "netvm", "net");
        Assert.Equal($"default=True type=str 10.137.0.{work.Qid}", Read(work, "ip"));
        Assert.Equal($"default=True type=str 10.137.0.{work.Qid}", Read(work, "visible_ip"));
        Assert.Equal($"default=True type=str 10.137.0.{net.Qid}", Read(work, "visible_gateway"));
        Assert.Equal("default=True type=str 255.255.255.255", Read(work, "visible_netmask"));
        Assert.Equal("default=True type=str 10.139.1.1 10.139.1.2", Read(work, "dns"));
        Assert.Equal("default=True type=str ", Read(work, "gateway"));
        Assert.Equal($"default=True type=str 10.137.0.{net.Qid}", Read(net, "gateway"));
        Assert.Equal("default=True type=str 00:16:3e:5e:6c:00", Read(work, "mac"));
        Assert.Equal("default=True type=str ", Read(work, "ip6"));
        net.Features.Set("ipv6", true);
        Assert.Equal($"default=True type=str fd09:24ef:4179::a89:{work.Qid:x}", Read(work, "ip6"));
        Assert.Equal($"default=True type=str fd09:24ef:4179::a89:{net.Qid:x}", Read(work, "visible_gateway6"));
    }

    [Fact]
    public void Fake_addresses_are_shown_inside_and_validated()
    {
        AppVM net = _system.NetVM("net");
        AppVM work = _system.AppVM("work");
        Set(work, "netvm", "net");
        work.Features.Set("net.fake-ip", "192.168.1.2");
        work.Features.Set("net.fake-gateway", "192.168.1.1");
        Assert.Equal("192.168.1.2", work.VisibleIP?.ToString());
        Assert.Equal("192.168.1.1", work.VisibleGateway?.ToString());
        Assert.Equal(net.IP, net.Gateway);
        Assert.Throws<QubesException>(() => work.Features.Set("net.fake-netmask", "255"));
        Assert.Contains("work property-reset:visible_ip", _system.Seen);
    }

    [Fact]
    public void A_loop_is_refused()
    {
        AppVM a = _system.NetVM("a");
        AppVM b = _system.NetVM("b");
        Set(b, "netvm", "a");
        Assert.Equal("Loops in network are unsupported", Assert.Throws<QubesException>(() => Set(a, "netvm", "b")).Message);
        Assert.Equal("Loops in network are unsupported", Assert.Throws<QubesException>(() => Set(a, "netvm", "a")).Message);
    }

    [Fact]
    public void A_default_netvm_that_would_loop_is_refused()
    {
        _system.NetVM("a");
        Assert.Equal("Network loop on 'a'", Assert.Throws<QubesException>(() => Set(_system.App, "default_netvm", "a")).Message);
    }

    [Fact]
    public void Resetting_netvm_shows_the_change_of_value_inside()
    {
        AppVM net = _system.NetVM("net");
        AppVM work = _system.AppVM("work");
        Set(work, "netvm", "net");
        _system.Seen.Clear();
        Reset(work, "netvm");
        Assert.Equal(
            [
                "work property-pre-reset:netvm", "work property-pre-set:netvm", "work property-pre-del:netvm", "work property-set:netvm",
                "work property-reset:netvm", "work property-del:netvm",
            ],
            _system.Seen);
        Assert.Null(work.NetVM);
        Assert.Equal("net", net.Name.Value);
    }

    [Fact]
    public void The_default_netvm_s_change_reaches_every_qube_that_follows_it()
    {
        AppVM net = _system.NetVM("net");
        NetworkProperties.NetVM.Set(net, null);
        AppVM work = _system.AppVM("work");
        Set(_system.App, "default_netvm", "net");
        Assert.Equal(
            [
                "property-pre-set:default_netvm", "work property-pre-set:netvm", "work property-set:netvm", "work property-reset:netvm",
                "property-set:default_netvm",
            ],
            _system.Seen);
        Assert.Same(net, work.NetVM);
        Assert.Null(_system.Template.NetVM);
    }

    [Fact]
    public void A_network_qube_in_use_keeps_giving_network_however_it_is_asked()
    {
        AppVM net = _system.NetVM("net");
        AppVM work = _system.AppVM("work");
        Set(work, "netvm", "net");
        Assert.Equal("QubesValueError", Assert.Throws<QubesException>(() => Set(net, "provides_network", "False")).WireName);
        Assert.Equal("QubesValueError", Assert.Throws<QubesException>(() => Reset(net, "provides_network")).WireName);
        Set(work, "netvm", "");
        Reset(net, "provides_network");
        Assert.False(net.ProvidesNetwork);
    }

    [Fact]
    public void A_changed_address_is_announced_to_those_behind_it()
    {
        AppVM net = _system.NetVM("net");
        AppVM work = _system.AppVM("work");
        Set(work, "netvm", "net");
        _system.Seen.Clear();
        Set(net, "ip", "10.137.9.9");
        Assert.Equal(
            [
                "net property-pre-set:ip", "net property-reset:gateway", "net property-reset:visible_ip", "work property-reset:visible_gateway",
                "net property-set:ip",
            ],
            _system.Seen);
    }
}
