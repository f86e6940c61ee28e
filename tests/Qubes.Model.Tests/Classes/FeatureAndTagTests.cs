using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using static Qubes.Model.Tests.TestSystem;

namespace Qubes.Model.Tests.Classes;

public sealed class FeatureAndTagTests
{
    private readonly TestSystem _system = new();

    [Fact]
    public void Features_keep_their_order_and_fire_their_events()
    {
        AppVM work = _system.AppVM("work");
        work.Features.Set("b", "1");
        work.Features.Set("a", "");
        work.Features.Set("b", "2");
        Assert.Equal(["b", "a"], work.Features.All.Select(f => f.Key));
        Assert.Equal(
            [
                "work domain-feature-pre-set:b", "work domain-feature-set:b", "work domain-feature-pre-set:a", "work domain-feature-set:a",
                "work domain-feature-pre-set:b", "work domain-feature-set:b",
            ],
            _system.Seen);
        _system.Events.Clear();
        work.Features.Set("b", "3");
        Assert.Equal("feature=b value=3 oldvalue=2", _system.Keywords("domain-feature-set:b"));
        work.Features.Remove("b");
        Assert.Equal("feature=b", _system.Keywords("domain-feature-delete:b"));
        Assert.Equal(
            "Feature not set for domain work: b", Assert.Throws<QubesException>(() => work.Features.Remove("b")).Message);
    }

    [Fact]
    public void Look_ups_follow_templates_network_and_dom0()
    {
        AppVM net = _system.NetVM("net");
        AppVM work = _system.AppVM("work");
        Set(work, "netvm", "net");
        _system.Template.Features.Set("t", "template");
        net.Features.Set("n", "net");
        _system.Dom0.Features.Set("d", "dom0");
        Assert.Equal("template", work.Features.CheckWithTemplate("t"));
        Assert.Null(work.Features.CheckWithNetVM("t"));
        Assert.Equal("net", work.Features.CheckWithNetVM("n"));
        Assert.Null(work.Features.CheckWithTemplate("d"));
        Assert.Equal("dom0", work.Features.CheckWithAdminVM("d"));
        Assert.Null(work.Features.CheckWithAdminVM("t"));
        Assert.Equal("dom0", work.Features.CheckWithTemplateAndAdminVM("d"));
        work.Features.Set("t", "");
        Assert.Equal("", work.Features.CheckWithTemplate("t"));
    }

    [Fact]
    public void A_failing_handler_takes_a_feature_back_in_its_place()
    {
        AppVM work = _system.AppVM("work");
        work.Features.Set("a", "1");
        work.Features.Set("b", "2");
        work.Features.Set("c", "3");
        _system.App.Events.On(EmitterClass.LocalVM, "domain-feature-delete:b", _ => throw QubesErrors.Value("no"));
        Assert.Throws<QubesException>(() => work.Features.Remove("b"));
        Assert.Equal(["a=1", "b=2", "c=3"], work.Features.All.Select(f => $"{f.Key}={f.Value}"));
    }

    [Fact]
    public void Tags_are_sorted_and_a_present_one_is_left_alone()
    {
        AppVM work = _system.AppVM("work");
        work.Tags.Add(TagName.Parse("b"));
        work.Tags.Add(TagName.Parse("a"));
        work.Tags.Add(TagName.Parse("b"));
        Assert.Equal(["a", "b"], work.Tags.All);
        Assert.Equal(["work domain-tag-add:b", "work domain-tag-add:a"], _system.Seen);
        work.Tags.Remove(TagName.Parse("a"));
        Assert.Equal("Tag not set for domain work: a", Assert.Throws<QubesException>(() => work.Tags.Remove(TagName.Parse("a"))).Message);
    }

    [Fact]
    public void A_failing_handler_takes_a_tag_back()
    {
        AppVM work = _system.AppVM("work");
        _system.App.Events.On(EmitterClass.LocalVM, "domain-tag-add:*", _ => throw QubesErrors.Value("no"));
        Assert.Throws<QubesException>(() => work.Tags.Add(TagName.Parse("x")));
        Assert.Empty(work.Tags.All);
    }

    [Fact]
    public void The_clock_qube_has_the_clock_service()
    {
        AppVM a = _system.AppVM("a");
        AppVM b = _system.AppVM("b");
        Set(_system.App, "clockvm", "a");
        Assert.Equal("1", a.Features.Get("service.clocksync"));
        _system.Seen.Clear();
        Set(_system.App, "clockvm", "b");
        Assert.Equal(
            [
                "property-pre-set:clockvm", "b domain-feature-pre-set:service.clocksync", "b domain-feature-set:service.clocksync",
                "a domain-feature-pre-delete:service.clocksync", "a domain-feature-delete:service.clocksync", "property-set:clockvm",
            ],
            _system.Seen);
        Assert.False(a.Features.Contains("service.clocksync"));
        Assert.True(b.Features.IsTrue("service.clocksync"));
    }
}
