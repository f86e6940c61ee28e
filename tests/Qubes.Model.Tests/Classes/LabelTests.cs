using Qubes.Model.Labels;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Model.Tests.Classes;

public sealed class LabelTests
{
    private readonly TestSystem _system = new();

    [Fact]
    public void A_new_label_gets_the_next_number_and_can_go_again()
    {
        Label pink = _system.App.Labels.Create(LabelName.Parse("pink", forCreation: true), LabelColor.Parse("0xffc0cb"u8));
        Assert.Equal(9, pink.Index);
        Assert.Same(pink, _system.App.Labels.Find("9"));
        Assert.Equal(
            "QubesLabelInUseError",
            Assert.Throws<QubesException>(() => _system.App.Labels.Create(LabelName.Parse("pink", true), LabelColor.Parse("0xffc0cb"u8))).WireName);
        Qube_with("pink");
        Assert.Equal("QubesLabelInUseError", Assert.Throws<QubesException>(() => _system.App.Labels.Remove(pink)).WireName);
        TestSystem.Set(_system.App.Domains["work"], "label", "red");
        _system.App.Labels.Remove(pink);
        Assert.False(_system.App.Labels.TryFind("pink", out _));
    }

    [Fact]
    public void Built_in_labels_stay() => Assert.Equal(
        "Can only remove custom labels",
        Assert.Throws<ProtocolErrorException>(() => _system.App.Labels.Remove(_system.App.Labels.Find("black"))).Message);

    private void Qube_with(string label)
    {
        _system.AppVM("work");
        TestSystem.Set(_system.App.Domains["work"], "label", label);
    }
}
