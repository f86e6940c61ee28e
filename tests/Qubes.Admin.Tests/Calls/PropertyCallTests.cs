using Qubes.Model.Classes;

namespace Qubes.Admin.Tests.Calls;

public sealed class PropertyCallTests
{
    [Fact]
    public async Task Admin_vm_property_List()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string[] names = (await fixture.CallAsync("admin.vm.property.List", destination: "work"))[2..].TrimEnd('\n').Split('\n');
        Assert.Contains("memory", names);
        Assert.Contains("template", names);
        Assert.Equal(names.TakeWhile(n => n != "audiovm"), names.TakeWhile(n => n != "audiovm").Order(StringComparer.Ordinal));
        Assert.Equal("template", names[^1]);
    }

    [Fact]
    public async Task Admin_property_List()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string[] names = (await fixture.CallAsync("admin.property.List"))[2..].TrimEnd('\n').Split('\n');
        Assert.Contains("default_template", names);
        Assert.Equal(names.Order(StringComparer.Ordinal), names);
    }

    [Fact]
    public async Task Admin_vm_property_Get()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0default=False type=vm debian", await fixture.CallAsync("admin.vm.property.Get", "template", "work"));
        Assert.Equal("0\0default=False type=label red", await fixture.CallAsync("admin.vm.property.Get", "label", "work"));
        Assert.Equal("0\0default=True type=vm ", await fixture.CallAsync("admin.vm.property.Get", "netvm", "work"));
        Assert.Equal("2\0QubesNoSuchPropertyError\0\0Invalid property 'nothing' of work\0",
            await fixture.CallAsync("admin.vm.property.Get", "nothing", "work"));
    }

    [Fact]
    public async Task Admin_property_Get()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0default=True type=bool True", await fixture.CallAsync("admin.property.Get", "check_updates_vm"));
        Assert.Equal("2\0QubesNoSuchPropertyError\0\0Invalid property 'nothing' of Qubes\0",
            await fixture.CallAsync("admin.property.Get", "nothing"));
        Assert.Equal("2\0ProtocolError\0\0expected destination to be AdminVM\0",
            await fixture.CallAsync("admin.property.Get", "check_updates_vm", "work"));
    }

    [Fact]
    public async Task Admin_vm_property_GetAll()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.property.Set", "kernelopts", "work", "a\\b");
        string[] lines = (await fixture.CallAsync("admin.vm.property.GetAll", destination: "work"))[2..].TrimEnd('\n').Split('\n');
        Assert.Contains("template default=False type=vm debian", lines);
        Assert.Contains(@"kernelopts default=False type=str a\\b", lines);
        foreach (string line in lines)
        {
            string name = line.Split(' ')[0];
            string single = await fixture.CallAsync("admin.vm.property.Get", name, "work");
            Assert.Equal(single[2..].Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal), line[(name.Length + 1)..]);
        }
    }

    [Fact]
    public async Task Admin_property_GetAll()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Contains("check_updates_vm default=True type=bool True\n", await fixture.CallAsync("admin.property.GetAll"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Admin_vm_property_GetDefault()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.property.Set", "debug", "work", "True");
        Assert.Equal("0\0type=bool False", await fixture.CallAsync("admin.vm.property.GetDefault", "debug", "work"));
        Assert.Equal("2\0QubesNoSuchPropertyError\0\0Invalid property 'nothing' of work\0",
            await fixture.CallAsync("admin.vm.property.GetDefault", "nothing", "work"));
    }

    [Fact]
    public async Task Admin_property_GetDefault()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0type=bool True", await fixture.CallAsync("admin.property.GetDefault", "check_updates_vm"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.property.GetDefault", "name", "work"));
    }

    [Fact]
    public async Task Admin_vm_property_Help()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string help = await fixture.CallAsync("admin.vm.property.Help", "memory", "work");
        Assert.StartsWith("0\0", help, StringComparison.Ordinal);
        Assert.True(help.Length > 10 && !help.Contains('\n', StringComparison.Ordinal), help);
        Assert.StartsWith("2\0QubesNoSuchPropertyError\0", await fixture.CallAsync("admin.vm.property.Help", "nothing", "work"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Admin_property_Help()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.True((await fixture.CallAsync("admin.property.Help", "default_template")).Length > 10);
    }

    [Fact]
    public async Task Admin_vm_property_Set()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.property.Set", "memory", "work", "512"));
        Assert.Equal("0\0default=False type=int 512", await fixture.CallAsync("admin.vm.property.Get", "memory", "work"));
        Assert.Equal(1, fixture.Commits);
    }

    [Theory]
    [InlineData("nothing", "1", "QubesNoSuchPropertyError", "Invalid property 'nothing' of work")]
    [InlineData("debug", "maybe", "QubesValueError", "Invalid literal for boolean property: 'maybe'")]
    [InlineData("memory", "much", "QubesValueError", "Failed to parse property value as int")]
    [InlineData("memory", "-5", "QubesPropertyValueError", "memory must be positive")]
    [InlineData("netvm", "nobody", "QubesPropertyValueError", "Can't set netvm to non-existing qube nobody")]
    [InlineData("netvm", "none", "QubesValueError", "VM name cannot be 'none' nor 'default'")]
    [InlineData("label", "nocolour", "QubesLabelNotFoundError", "Label does not exist: nocolour")]
    [InlineData("kernelopts", "a\u0007", "QubesValueError", "Invalid characters in property value")]
    [InlineData("kernelopts", "\u00fc", "QubesValueError", "Non-ASCII bytes in property value")]
    [InlineData("xid", "5", "QubesPropertyValueError", "property 'xid' on AppVM instance cannot be set")]
    public async Task A_refused_value_changes_nothing(string property, string value, string error, string message)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string before = await fixture.CallAsync("admin.vm.property.GetAll", destination: "work");
        Assert.Equal($"2\0{error}\0\0{message}\0", await fixture.CallAsync("admin.vm.property.Set", property, "work", value));
        Assert.Equal(before, await fixture.CallAsync("admin.vm.property.GetAll", destination: "work"));
        Assert.Equal(0, fixture.Commits);
    }

    [Fact]
    public async Task Admin_property_Set()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.property.Set", "default_template", payload: "debian"));
        Assert.Equal("0\0default=False type=vm debian", await fixture.CallAsync("admin.property.Get", "default_template"));
        Assert.Equal("2\0QubesPropertyValueError\0\0Can't set default_template to non-existing qube nobody\0",
            await fixture.CallAsync("admin.property.Set", "default_template", payload: "nobody"));
    }

    [Fact]
    public async Task Admin_vm_property_Reset()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.property.Set", "memory", "work", "512");
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.property.Reset", "memory", "work"));
        Assert.StartsWith("0\0default=True type=int ", await fixture.CallAsync("admin.vm.property.Get", "memory", "work"), StringComparison.Ordinal);
        Assert.StartsWith("2\0QubesValueError\0\0Cannot unset template", await fixture.CallAsync("admin.vm.property.Reset", "template", "work"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Admin_property_Reset()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.property.Set", "check_updates_vm", payload: "no");
        Assert.Equal("0\0", await fixture.CallAsync("admin.property.Reset", "check_updates_vm"));
        Assert.Equal("0\0default=True type=bool True", await fixture.CallAsync("admin.property.Get", "check_updates_vm"));
    }

    [Fact]
    public async Task A_change_that_cannot_be_written_is_undone_and_refused()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        fixture.DiskIsFull = true;
        Assert.StartsWith("2\0QubesException\0", await fixture.CallAsync("admin.vm.property.Set", "memory", "work", "512"), StringComparison.Ordinal);
        Assert.StartsWith("0\0default=True", await fixture.CallAsync("admin.vm.property.Get", "memory", "work"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_permission_event_of_Set_shows_the_new_value_and_can_refuse()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        List<string> seen = [];
        await fixture.OnLoopAsync(app => app.Events.On(Model.Events.EmitterClass.AdminVM, "admin-permission:admin.vm.property.Set", happened =>
        {
            seen.Add($"{happened.Arguments["dest"]} {happened.Arguments["arg"]} {happened.Arguments["newvalue"]}");
            throw Protocol.Errors.QubesErrors.PermissionDenied("not today");
        }));
        Assert.Equal("2\0PermissionDenied\0\0not today\0", await fixture.CallAsync("admin.vm.property.Set", "memory", "work", "512"));
        Assert.Equal(["work memory 512"], seen);
        Assert.Equal(PowerState.Halted, await fixture.OnLoopAsync(app => app.Domains["work"].PowerState));
        Assert.Equal(0, fixture.Commits);
    }
}
