using Qubes.Model.Labels;
using Qubes.Model.Tests.Changes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Model.Tests.Classes;

public sealed class LabelTests
{
    private readonly TestSystem _system = new();

    [Fact]
    public void A_new_label_gets_the_next_number_and_can_go_again()
    {
        Label pink = Create("pink");
        Assert.Equal(9, pink.Index);
        Assert.Same(pink, _system.App.Labels.Find("9"));
        Assert.Equal(
            "QubesLabelInUseError",
            Assert.Throws<QubesException>(() => Create("pink")).WireName);
        Qube_with("pink");
        Assert.Equal("QubesLabelInUseError", Assert.Throws<QubesException>(() => _system.App.Labels.Remove(pink)).WireName);
        TestSystem.Set(_system.App.Domains["work"], "label", "red");
        _system.App.Labels.Remove(pink);
        Assert.False(_system.App.Labels.TryFind("pink", out _));
    }

    [Fact]
    public void What_a_removed_label_had_is_given_away_only_when_its_removal_holds()
    {
        Label pink = Create("pink");
        OverlappingChange removal = new(_system.App);
        removal.Do(() => _system.App.Labels.Remove(pink));
        Assert.Equal("QubesLabelInUseError", Assert.Throws<QubesException>(() => Create("pink")).WireName);
        Assert.Equal(10, Create("mint").Index);
        removal.Change.Rollback();
        Assert.Equal(["pink", "mint"], _system.App.Labels.All.Skip(8).Select(label => label.Name));

        removal = new(_system.App);
        removal.Do(() => _system.App.Labels.Remove(_system.App.Labels.Find("mint")));
        removal.Do(() => Create("mint"));
        removal.Do(() => _system.App.Labels.Remove(_system.App.Labels.Find("mint")));
        removal.Change.Complete();
        Assert.Equal(10, Create("mint").Index);
    }

    [Fact]
    public void Built_in_labels_stay() => Assert.Equal(
        "Can only remove custom labels",
        Assert.Throws<ProtocolErrorException>(() => _system.App.Labels.Remove(_system.App.Labels.Find("black"))).Message);

    private Label Create(string name) => _system.App.Labels.Create(LabelName.Parse(name, forCreation: true), LabelColor.Parse("0xffc0cb"u8));

    private void Qube_with(string label)
    {
        _system.AppVM("work");
        TestSystem.Set(_system.App.Domains["work"], "label", label);
    }
}
