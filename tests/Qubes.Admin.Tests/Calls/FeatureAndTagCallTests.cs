namespace Qubes.Admin.Tests.Calls;

public sealed class FeatureAndTagCallTests
{
    [Fact]
    public async Task Admin_vm_feature_List()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.feature.List", destination: "debian"));
        await fixture.CallAsync("admin.vm.feature.Set", "z", "debian", "1");
        await fixture.CallAsync("admin.vm.feature.Set", "a", "debian");
        Assert.Equal("0\0z\na\n", await fixture.CallAsync("admin.vm.feature.List", destination: "debian"));
    }

    [Fact]
    public async Task Admin_vm_feature_Get()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.feature.Set", "f", "work", "some value");
        Assert.Equal("0\0some value", await fixture.CallAsync("admin.vm.feature.Get", "f", "work"));
        Assert.Equal("2\0QubesFeatureNotFoundError\0\0Feature not set for domain work: g\0", await fixture.CallAsync("admin.vm.feature.Get", "g", "work"));
    }

    [Theory]
    [InlineData("admin.vm.feature.CheckWithTemplate", "debian", true)]
    [InlineData("admin.vm.feature.CheckWithTemplate", "dom0", false)]
    [InlineData("admin.vm.feature.CheckWithAdminVM", "debian", false)]
    [InlineData("admin.vm.feature.CheckWithAdminVM", "dom0", true)]
    [InlineData("admin.vm.feature.CheckWithTemplateAndAdminVM", "debian", true)]
    [InlineData("admin.vm.feature.CheckWithTemplateAndAdminVM", "dom0", true)]
    [InlineData("admin.vm.feature.CheckWithNetvm", "net", true)]
    [InlineData("admin.vm.feature.CheckWithNetvm", "debian", false)]
    public async Task A_feature_is_looked_for_where_the_call_says(string method, string holder, bool found)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("net");
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.property.Set", "provides_network", "net", "True"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.property.Set", "netvm", "work", "net"));
        await fixture.CallAsync("admin.vm.feature.Set", "looked-for", holder, "there");
        Assert.Equal(found ? "0\0there" : "2\0QubesFeatureNotFoundError\0\0Feature not set for domain work: looked-for\0",
            await fixture.CallAsync(method, "looked-for", "work"));
    }

    [Fact]
    public async Task Admin_vm_feature_Set()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.feature.Set", "f", "work", "1"));
        Assert.Equal("2\0ProtocolError\0\0Feature value contains non-ASCII characters\0", await fixture.CallAsync("admin.vm.feature.Set", "f", "work", "\u00e4"));
        Assert.Equal("2\0ProtocolError\0\0feature name contains illegal characters\0", await fixture.CallAsync("admin.vm.feature.Set", "f/g", "work", "1"));
        Assert.Equal("2\0ProtocolError\0\0f value contains illegal characters\0", await fixture.CallAsync("admin.vm.feature.Set", "f", "work", "a\nb"));
        Assert.Equal("0\01", await fixture.CallAsync("admin.vm.feature.Get", "f", "work").ContinueWith(t => t.Result, TaskScheduler.Default));
    }

    [Fact]
    public async Task Admin_vm_feature_Remove()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.feature.Set", "f", "work", "1");
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.feature.Remove", "f", "work"));
        Assert.Equal("2\0QubesFeatureNotFoundError\0\0Feature not set for domain work: f\0", await fixture.CallAsync("admin.vm.feature.Remove", "f", "work"));
    }

    [Theory]
    [InlineData("preload-dispvm")]
    [InlineData("preload-dispvm-completed")]
    [InlineData("preload-dispvm-in-progress")]
    [InlineData("deferred-netvm-original")]
    public async Task Features_of_the_system_itself_are_nobodys_to_change(string feature)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        const string refusal = "2\0PermissionDenied\0\0changing this feature is prohibited by qubes.ext.admin.AdminExtension\0";
        Assert.Equal(refusal, await fixture.CallAsync("admin.vm.feature.Set", feature, "work", "1"));
        Assert.Equal(refusal, await fixture.CallAsync("admin.vm.feature.Remove", feature, "work"));
    }

    [Fact]
    public async Task Admin_vm_tag_List()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.tag.Set", "b", "debian");
        await fixture.CallAsync("admin.vm.tag.Set", "a", "debian");
        Assert.Equal("0\0a\nb\n", await fixture.CallAsync("admin.vm.tag.List", destination: "debian"));
    }

    [Fact]
    public async Task Admin_vm_tag_Get()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\00", (await fixture.CallAsync("admin.vm.tag.Get", "t", "work")));
        await fixture.CallAsync("admin.vm.tag.Set", "t", "work");
        Assert.Equal("0\01", await fixture.CallAsync("admin.vm.tag.Get", "t", "work"));
        Assert.Equal("2\0QubesInvalidTagError\0\0disallowed characters\0", await fixture.CallAsync("admin.vm.tag.Get", "a.b", "work"));
    }

    [Fact]
    public async Task Admin_vm_tag_Set()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.tag.Set", "t", "work"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.tag.Set", "t", "work"));
        Assert.Equal("2\0QubesInvalidTagError\0\0disallowed characters\0", await fixture.CallAsync("admin.vm.tag.Set", "a:b", "work"));
    }

    [Fact]
    public async Task Admin_vm_tag_Remove()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.tag.Set", "t", "work");
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.tag.Remove", "t", "work"));
        Assert.Equal("2\0QubesTagNotFoundError\0\0Tag not set for domain work: t\0", await fixture.CallAsync("admin.vm.tag.Remove", "t", "work"));
        Assert.Equal("2\0QubesInvalidTagError\0\0disallowed characters\0", await fixture.CallAsync("admin.vm.tag.Remove", "a:b", "work"));
    }

    [Fact]
    public async Task Who_created_a_qube_is_for_dom0_to_say()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        const string refusal = "2\0PermissionDenied\0\0changing this tag is prohibited by qubes.ext.admin.AdminExtension\0";
        Assert.Equal(refusal, await fixture.CallAsync("admin.vm.tag.Set", "created-by-dom0", "debian", source: "work"));
        Assert.Equal(refusal, await fixture.CallAsync("admin.vm.tag.Remove", "created-by-dom0", "debian", source: "work"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.tag.Set", "created-by-nobody", "debian"));
    }

    [Fact]
    public async Task A_creation_gets_the_tags_its_creator_gives()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.feature.Set", "tag-created-vm-with", "work", "one two");
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.Create.AppVM", "debian", payload: "name=new label=red", source: "work"));
        Assert.Equal("0\0created-by-work\none\ntwo\n", await fixture.CallAsync("admin.vm.tag.List", destination: "new"));
    }
}
