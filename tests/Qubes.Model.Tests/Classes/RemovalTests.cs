using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using static Qubes.Model.Tests.TestSystem;

namespace Qubes.Model.Tests.Classes;

/// <summary>What keeps a qube, and what does not.</summary>
public sealed class RemovalTests
{
    private readonly TestSystem _system = new();

    [Theory]
    [InlineData("default_netvm")]
    [InlineData("default_dispvm")]
    [InlineData("management_dispvm")]
    [InlineData("default_guivm")]
    [InlineData("default_audiovm")]
    [InlineData("clockvm")]
    [InlineData("updatevm")]
    public void Each_reference_of_the_system_keeps_it(string property)
    {
        AppVM used = Used();
        Set(_system.App, property, "used");
        Assert.Equal(["@GLOBAL:" + property], QubeDependencies.FindReferences(used));
        CheckInUse(used);
        Reset(_system.App, property);
        _system.App.Domains.CheckRemovable(used);
    }

    [Fact]
    public void The_default_template_is_kept()
    {
        Assert.Contains("@GLOBAL:default_template", QubeDependencies.FindReferences(_system.Template));
        CheckInUse(_system.Template);
    }

    [Theory]
    [InlineData("netvm")]
    [InlineData("guivm")]
    [InlineData("audiovm")]
    [InlineData("default_dispvm")]
    [InlineData("management_dispvm")]
    public void Each_reference_of_another_qube_keeps_it_and_its_own_do_not(string property)
    {
        AppVM used = Used();
        AppVM other = _system.AppVM("other");
        if (property != "netvm")
        {
            Set(used, property, "used");
            Assert.Empty(QubeDependencies.FindReferences(used));
        }

        Set(other, property, "used");
        Assert.Equal(["other:" + property], QubeDependencies.FindReferences(used));
        CheckInUse(used);
        Reset(other, property);
        _system.App.Domains.CheckRemovable(used);
    }

    [Fact]
    public void A_default_of_another_qube_does_not_keep_it()
    {
        AppVM used = Used();
        AppVM based = _system.AppVM("based");
        Set(_system.Template, "management_dispvm", "used");
        Assert.Equal("default=True type=vm used", Read(based, "management_dispvm"));
        Assert.Equal(["fedora:management_dispvm"], QubeDependencies.FindReferences(used));
    }

    [Fact]
    public void A_relay_is_kept_and_a_remote_qube_goes_though_it_counts_as_running()
    {
        AppVM used = Used();
        Qube far = _system.Create(QubeClasses.RemoteVM, "far");
        Set(far, "relayvm", "used");
        Assert.Equal(["far:relayvm"], QubeDependencies.FindReferences(used));
        CheckInUse(used);
        _system.App.Domains.CheckRemovable(far);
        _system.App.Domains.Remove(far);
        _system.App.Domains.CheckRemovable(used);
    }

    [Fact]
    public void A_ring_of_references_comes_apart_only_when_it_is_opened()
    {
        AppVM[] ring = [.. Enumerable.Range(0, 3).Select(i => _system.AppVM("ring" + i))];
        for (int i = 0; i < ring.Length; i++)
        {
            Set(ring[i], "guivm", ring[(i + 1) % ring.Length].Name);
        }

        Assert.All(ring, CheckInUse);
        Assert.Equal("us++", ring[0].KeyboardLayout);
        Set(ring[2], "guivm", "dom0");
        _system.App.Domains.CheckRemovable(ring[0]);
    }

    [Fact]
    public void A_loop_is_refused_however_long_the_chain_and_features_are_found_at_its_end()
    {
        const int length = 300;
        QubesVM first = _system.NetVM("net0");
        QubesVM last = first;
        for (int i = 1; i < length; i++)
        {
            QubesVM next = _system.NetVM("net" + i);
            Set(next, "netvm", last.Name);
            last = next;
        }

        first.Features.Set("ipv6", "1");
        Assert.Equal("1", last.Features.CheckWithNetVM("ipv6"));
        Assert.True(last.IsConnectedThrough(first));
        QubesException refused = Assert.Throws<QubesException>(() => Set(first, "netvm", last.Name));
        Assert.Equal((QubesErrorNames.Value, "Loops in network are unsupported"), (refused.WireName, refused.Message));
        Assert.Null(first.NetVM);
    }

    private AppVM Used()
    {
        AppVM used = _system.NetVM("used");
        Set(used, "template_for_dispvms", "True");

        // Its own network must not come from itself when it becomes the default.
        Set(used, "netvm", "");
        return used;
    }

    private void CheckInUse(Qube qube)
    {
        QubesException refused = Assert.Throws<QubesException>(() => _system.App.Domains.CheckRemovable(qube));
        Assert.Equal(QubesErrorNames.VMInUse, refused.WireName);
        Assert.Equal($"Domain is in use: '{qube.Name}';  see 'journalctl -u qubesd -e' in dom0 for details", refused.Message);
    }
}
