using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Host;
using Qubes.Model.Labels;
using Qubes.Protocol.Names;

namespace Qubes.Extensions.Tests;

/// <summary>What becomes of the features a qube asks for.</summary>
public sealed class FeaturesRequestTests
{
    private readonly QubesApp _app = new(new FixedHostFacts());
    private readonly TemplateVM _template;
    private readonly AppVM _work;

    public FeaturesRequestTests()
    {
        BuiltInExtensions.Register(_app);
        foreach (Label label in LabelSet.BuiltIn)
        {
            _app.Labels.Load(label);
        }

        _app.Domains.Load(QubeClasses.AdminVM, default);
        _app.FinishLoading();
        _template = (TemplateVM)Create(QubeClasses.TemplateVM, "fedora");
        QubesAppProperties.DefaultTemplate.Set(_app, _template);
        _work = (AppVM)Create(QubeClasses.AppVM, "work");
    }

    [Theory]
    [InlineData("os-distribution", "debian", "debian")]
    [InlineData("os-distribution-like", "rhel fedora", "rhel fedora")]
    [InlineData("os-distribution", "", null)]
    [InlineData("os-version", "12.5-1", "12.5-1")]
    [InlineData("os-version", "v12", null)]
    [InlineData("os-version", "12a", null)]
    [InlineData("os-version", ".1", null)]
    [InlineData("os-eol", "2026-06-30", "2026-06-30")]
    [InlineData("os-eol", "2026-02-30", null)]
    [InlineData("os-eol", "26-06-30", null)]
    [InlineData("os-eol", "2026-6-3", null)]
    [InlineData("qubes-agent-version", "4.3", "4.3")]
    [InlineData("qubes-agent-version", "4.3.1", null)]
    [InlineData("qubes-agent-version", "1000.1", null)]
    [InlineData("qubes-agent-version", "4.", null)]
    [InlineData("qrexec", "1", "1")]
    [InlineData("gui", "0", "")]
    [InlineData("gui-emulated", "yes", null)]
    [InlineData("qubes-firewall", "1", "1")]
    [InlineData("vmexec", "0", "")]
    [InlineData("anon-timezone", "1", "1")]
    [InlineData("anon-timezone", "0", null)]
    [InlineData("default-user", "user", null)]
    [InlineData("internal", "1", null)]
    [InlineData("os", "Linux", "Linux")]
    [InlineData("os", "Plan9", null)]
    public async Task Each_feature_has_its_rule(string feature, string value, string? stored)
    {
        await RequestAsync(_template, (feature, value));
        Assert.Equal(stored, _template.Features.Get(feature));
    }

    [Fact]
    public async Task What_somebody_else_has_decided_stays()
    {
        _template.Features.Set("gui", "");
        _template.Features.Set("vmexec", "");
        await RequestAsync(_template, ("gui", "1"), ("vmexec", "1"));
        Assert.Equal(("", "1"), (_template.Features.Get("gui"), _template.Features.Get("vmexec")));
    }

    [Fact]
    public async Task The_first_word_of_a_template_completes_its_installation_once()
    {
        int completed = 0;
        _app.Events.On(EmitterClass.TemplateVM, "template-postinstall", _ => completed++);
        await RequestAsync(_template, ("qrexec", "0"));
        Assert.Equal(0, completed);
        _template.Features.Remove("qrexec");
        await RequestAsync(_template, ("qrexec", "1"));
        await RequestAsync(_template, ("qrexec", "1"));
        Assert.Equal(1, completed);
    }

    [Fact]
    public async Task A_based_qube_has_a_say_in_its_own_services_of_qrexec_only()
    {
        await RequestAsync(_work, ("qrexec", "1"), ("supported-service.x", "1"), ("supported-feature.x", "1"), ("supported-rpc.x", "1"), ("os", "Windows"));
        Assert.Equal(["supported-rpc.x"], _work.Features.All.Select(f => f.Key));
    }

    [Theory]
    [InlineData("supported-service.")]
    [InlineData("supported-feature.")]
    [InlineData("supported-rpc.")]
    public async Task What_is_advertised_replaces_what_was_and_nothing_advertised_changes_nothing(string prefix)
    {
        await RequestAsync(_template, (prefix + "a", "1"), (prefix + "b", "1"), (prefix + "c", "0"));
        Assert.Equal([prefix + "a", prefix + "b"], Features(prefix));
        await RequestAsync(_template, (prefix + "b", "1"), (prefix + "d", "1"));
        Assert.Equal([prefix + "b", prefix + "d"], Features(prefix));
        await RequestAsync(_template, ("other", "1"), (prefix + "b", "0"));
        Assert.Equal([prefix + "b", prefix + "d"], Features(prefix));
    }

    [Fact]
    public async Task A_profile_that_is_supported_is_switched_on_unless_somebody_has_said_otherwise()
    {
        await RequestAsync(_template, ("supported-service.apparmor", "1"));
        Assert.Equal("1", _template.Features.Get("apparmor"));
        await RequestAsync(_template, ("supported-service.other", "1"));
        Assert.False(_template.Features.Contains("apparmor"));
        _template.Features.Set("apparmor", "");
        await RequestAsync(_template, ("supported-service.apparmor", "1"));
        Assert.Equal("", _template.Features.Get("apparmor"));
    }

    [Fact]
    public async Task Windows_is_prepared_for()
    {
        _template.Features.Set("audio-model", "");
        await RequestAsync(_template, ("os", "Windows"), ("qrexec", "1"));
        Assert.Equal(
            [
                "audio-model=", "no-monitor-layout=1", "os=Windows", "qrexec=1", "rpc-clipboard=1", "stubdom-qrexec=1", "timezone=localtime",
            ],
            _template.Features.All.Select(f => $"{f.Key}={f.Value}").Order(StringComparer.Ordinal));
        Assert.Equal((0, 6000), (MemoryProperties.MaxMem.Get(_template), QubesVMProperties.QrexecTimeout.Get(_template)));
    }

    [Fact]
    public async Task Boot_modes_are_taken_as_a_whole()
    {
        await RequestAsync(_template,
            ("boot-mode.kernelopts.safe", "single"), ("boot-mode.name.safe", "Safe"), ("boot-mode.default-user.safe", "root"),
            ("boot-mode.name.default", "Usual"), ("boot-mode.name.absent", "Absent"), ("boot-mode.kernelopts.default", "x"),
            ("boot-mode.default-user.default", "x"), ("boot-mode.kernelopts.a.b", "x"), ("boot-mode.kernelopts.", "x"),
            ("boot-mode.active", "safe"), ("boot-mode.appvm-default", "default"), ("boot-mode.standalone-default", "absent"));
        Assert.Equal(
            [
                "boot-mode.active", "boot-mode.appvm-default", "boot-mode.default-user.safe", "boot-mode.kernelopts.safe", "boot-mode.name.default",
                "boot-mode.name.safe",
            ],
            Features("boot-mode."));
        await RequestAsync(_template, ("boot-mode.kernelopts.other", "y"));
        Assert.Equal(["boot-mode.active", "boot-mode.appvm-default", "boot-mode.kernelopts.other"], Features("boot-mode."));
    }

    [Fact]
    public async Task Boot_modes_nobody_can_tell_apart_or_too_many_are_refused_as_a_whole()
    {
        await RequestAsync(_template, ("boot-mode.kernelopts.a", "1"), ("boot-mode.kernelopts.b", "2"), ("boot-mode.name.a", "X"), ("boot-mode.name.b", "X"));
        Assert.Empty(Features("boot-mode."));
        await RequestAsync(_template, [.. Enumerable.Range(0, 65).Select(i => ($"boot-mode.kernelopts.m{i}", "x"))]);
        Assert.Empty(Features("boot-mode."));
    }

    private static Task RequestAsync(Qube qube, params (string Name, string Value)[] features) => qube.FireAsync("features-request", EventArguments.Of(
        "untrusted_features", new SortedDictionary<string, string>(features.ToDictionary(f => f.Name, f => f.Value), StringComparer.Ordinal)));

    private string[] Features(string prefix) =>
        [.. _template.Features.All.Select(f => f.Key).Where(k => k.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private Qube Create(QubeClass qubeClass, string name) => _app.Domains.Create(new NewQube
    {
        Class = qubeClass,
        Name = QubeName.Parse(name),
        Label = _app.Labels.Find("red"),
    });
}
