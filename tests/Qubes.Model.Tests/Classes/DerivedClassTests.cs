using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Host;
using Qubes.Model.Labels;
using Qubes.Model.Properties;
using Qubes.Protocol.Names;

namespace Qubes.Model.Tests.Classes;

/// <summary>Classes of qubes that others bring.</summary>
public sealed class DerivedClassTests
{
    private readonly QubesApp _app;
    private readonly QubeClass _kiosk;
    private readonly PropertyDefinition _mode = DerivedProperties.Text("kiosk_mode", "", "full", ["full", "window"], writeOnce: false, clone: true);

    public DerivedClassTests()
    {
        _kiosk = QubeClass.Derive("KioskVM", QubeClasses.AppVM, [_mode], new NewQubeContent(
            [(QubesVMProperties.Debug, true), (_mode, "window")], [(FeatureName.Parse("f"), "1")], [TagName.Parse("t")]));
        _app = new QubesApp(new FixedHostFacts(), classes: new QubeClassSet([_kiosk]));
        foreach (Label label in LabelSet.BuiltIn)
        {
            _app.Labels.Load(label);
        }

        _app.Domains.Load(QubeClasses.AdminVM, default);
        _app.FinishLoading();
        QubesAppProperties.DefaultTemplate.Set(_app, (TemplateVM)Create("debian", QubeClasses.TemplateVM));
    }

    [Fact]
    public void Its_qubes_are_of_their_root_in_all_but_name()
    {
        AppVM lobby = Assert.IsType<AppVM>(Create("lobby", _kiosk));
        Assert.Equal(("KioskVM", "window", true), (lobby.Klass, _mode.Read(lobby).Text, lobby.Debug));
        Assert.Equal("debian", lobby.Template?.Name.Value);
        Assert.Equal("1", lobby.Features.Get("f"));
        Assert.True(lobby.Tags.Contains("t"));
        Assert.Equal(["AdminVM", "AppVM", "DispVM", "KioskVM", "RemoteVM", "StandaloneVM", "TemplateVM"], _app.Classes.All.Select(c => c.Name));
    }

    [Fact]
    public void Events_pass_its_own_level_beside_those_of_its_root()
    {
        List<string> seen = [];
        foreach (EmitterClass level in (EmitterClass[])[EmitterClass.LocalVM, _kiosk.Emitter, EmitterClass.AppVM])
        {
            _app.Events.On(level, "x", _ => seen.Add(level.Name));
        }

        Qube lobby = Create("lobby", _kiosk);
        lobby.Fire("x");
        lobby.FirePre("x");
        Assert.Equal(["LocalVM", "AppVM", "KioskVM", "KioskVM", "AppVM", "LocalVM"], seen);
        Create("plain", QubeClasses.AppVM).Fire("x");
        Assert.Equal(["LocalVM", "AppVM"], seen[6..]);
    }

    [Fact]
    public void A_copy_of_the_model_has_it_too()
    {
        Create("lobby", _kiosk);
        QubesApp copy = ModelCopy.Of(_app);
        Assert.Equal("window", _mode.Read(copy.Domains["lobby"]).Text);
        Assert.True(copy.Classes.TryFind("KioskVM", out QubeClass? found));
        Assert.Same(_kiosk, found);
    }

    [Fact]
    public void Only_a_class_of_domains_can_be_a_root()
    {
        Assert.Throws<ArgumentException>(() => QubeClass.Derive("X", QubeClasses.RemoteVM, []));
        Assert.Throws<ArgumentException>(() => QubeClass.Derive("X", QubeClasses.AdminVM, []));
        Assert.Throws<ArgumentException>(() => QubeClass.Derive("X", _kiosk, []));
    }

    private Qube Create(string name, QubeClass qubeClass) => _app.Domains.Create(new NewQube
    {
        Class = qubeClass, Name = QubeName.Parse(name), Label = _app.Labels.Find("red"),
    });
}
