using Qubes.Model;

namespace Qubes.Admin.Tests.Calls;

/// <summary>Disposables somebody names.</summary>
public sealed class NamedDisposableCallTests
{
    [Theory]
    [InlineData("admin.vm.Create.DispVM")]
    [InlineData("admin.vm.CreateInPool.DispVM")]
    public async Task A_disposable_can_be_given_a_name_to_come_back_to(string method)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.property.Set", "template_for_dispvms", "work", "True");
        Assert.Equal("0\0", await fixture.CallAsync(method, "work", payload: "name=sys-usb label=blue"));
        Assert.StartsWith("0\0sys-usb class=DispVM state=Halted uuid=", await fixture.CallAsync("admin.vm.List", destination: "sys-usb"), StringComparison.Ordinal);
        Assert.Equal("0\0default=False type=vm work", await fixture.CallAsync("admin.vm.property.Get", "template", "sys-usb"));
        Assert.Equal("0\0default=False type=label blue", await fixture.CallAsync("admin.vm.property.Get", "label", "sys-usb"));
        Assert.Equal("0\0default=True type=bool False", await fixture.CallAsync("admin.vm.property.Get", "auto_cleanup", "sys-usb"));
        Assert.StartsWith("0\0default=False type=int ", await fixture.CallAsync("admin.vm.property.Get", "dispid", "sys-usb"), StringComparison.Ordinal);
        Assert.Equal("0\0created-by-dom0\n", await fixture.CallAsync("admin.vm.tag.List", destination: "sys-usb"));
    }

    /// <summary>A client that clones a disposable sets what its clone cannot take, and goes on at this class only.</summary>
    [Fact]
    public async Task Its_number_is_given_once()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.property.Set", "template_for_dispvms", "work", "True");
        await fixture.CallAsync("admin.vm.Create.DispVM", "work", payload: "name=sys-usb label=blue");
        const string refused = "2\0QubesNoSuchPropertyError\0\0property 'dispid' is write-once and already set\0";
        Assert.Equal(refused, await fixture.CallAsync("admin.vm.property.Set", "dispid", "sys-usb", "77"));
        Assert.Equal(refused, await fixture.CallAsync("admin.vm.property.Reset", "dispid", "sys-usb"));
    }

    [Fact]
    public async Task Without_a_template_the_systems_default_for_disposables_is_taken()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("2\0QubesValueError\0\0Template for the qube not specified, nor default template set.\0",
            await fixture.CallAsync("admin.vm.Create.DispVM", payload: "name=new label=red"));
        await fixture.CallAsync("admin.vm.property.Set", "template_for_dispvms", "work", "True");
        await fixture.OnLoopAsync(app => QubesAppProperties.DefaultDispVM.Set(app, app.Domains["work"]));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.Create.DispVM", payload: "name=new label=red"));
        Assert.Equal("0\0default=False type=vm work", await fixture.CallAsync("admin.vm.property.Get", "template", "new"));
    }

    [Theory]
    [InlineData("work", "QubesValueError")]
    [InlineData("debian", "QubesValueError")]
    [InlineData("dom0", "QubesValueError")]
    [InlineData("nothing", "QubesVMNotFoundError")]
    public async Task Only_a_template_for_disposables_will_do(string template, string error)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string reply = await fixture.CallAsync("admin.vm.Create.DispVM", template, payload: "name=new label=red");
        Assert.StartsWith($"2\0{error}\0", reply, StringComparison.Ordinal);
        Assert.StartsWith("2\0QubesVMNotFoundError\0", await fixture.CallAsync("admin.vm.List", destination: "new"), StringComparison.Ordinal);
        Assert.Equal(0, fixture.Commits);
    }

    [Fact]
    public async Task Nobody_changes_what_keeps_track_of_preloading()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        foreach (string feature in (string[])["preload-dispvm", "preload-dispvm-completed", "preload-dispvm-in-progress"])
        {
            Assert.StartsWith("2\0PermissionDenied\0", await fixture.CallAsync("admin.vm.feature.Set", feature, "work", "1"), StringComparison.Ordinal);
            Assert.StartsWith("2\0PermissionDenied\0", await fixture.CallAsync("admin.vm.feature.Remove", feature, "work"), StringComparison.Ordinal);
        }
    }
}
