using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Tests.Calls;

public sealed class CreateCallTests
{
    [Fact]
    public async Task Admin_vm_Create_AppVM()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.Create.AppVM", "debian", payload: "name=new label=blue"));
        Assert.StartsWith("0\0new class=AppVM state=Halted uuid=", await fixture.CallAsync("admin.vm.List", destination: "new"), StringComparison.Ordinal);
        Assert.Equal("0\0default=False type=label blue", await fixture.CallAsync("admin.vm.property.Get", "label", "new"));
        Assert.Equal("0\0default=False type=vm debian", await fixture.CallAsync("admin.vm.property.Get", "template", "new"));
        Assert.Equal("0\0created-by-dom0\n", await fixture.CallAsync("admin.vm.tag.List", destination: "new"));
        Assert.Equal(["create new", "confirm new"], fixture.Lifecycle.Asked);
        Assert.Equal(1, fixture.Commits);
    }

    [Theory]
    [InlineData("admin.vm.Create.TemplateVM", "TemplateVM")]
    [InlineData("admin.vm.Create.StandaloneVM", "StandaloneVM")]
    public async Task A_class_without_template_takes_none(string method, string name)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal($"2\0ProtocolError\0\0{name} cannot be based on template\0", await fixture.CallAsync(method, "debian", payload: "name=new label=red"));
        Assert.Equal("0\0", await fixture.CallAsync(method, payload: "label=red name=new"));
        Assert.StartsWith($"0\0new class={name} ", await fixture.CallAsync("admin.vm.List", destination: "new"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("admin.vm.Create.AdminVM")]
    [InlineData("admin.vm.CreateInPool.AdminVM")]
    public async Task There_is_one_dom0(string method)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("2\0QubesPropertyValueError\0\0property 'qid' on AdminVM instance cannot be set\0",
            await fixture.CallAsync(method, payload: "name=new label=red"));
    }

    [Theory]
    [InlineData("debian", "", "ProtocolError", "Options must have the form key=value, separated by single spaces")]
    [InlineData("debian", "name=new  label=red", "ProtocolError", "Options must have the form key=value, separated by single spaces")]
    [InlineData("debian", "name=new label=red ", "ProtocolError", "Options must have the form key=value, separated by single spaces")]
    [InlineData("debian", "name=new label=red \u00e4", "ProtocolError", "Parameters contains non-ASCII characters")]
    [InlineData("debian", "name=new name=other label=red", "ProtocolError", "Options must be unique")]
    [InlineData("debian", "name=new label=red label=red", "ProtocolError", "Options must be unique")]
    [InlineData("debian", "name=new label=red template=debian", "ProtocolError", "Options must be unique")]
    [InlineData("debian", "name=new label=red size=3", "ProtocolError", "Options does not match: name, label, pool, pool:")]
    [InlineData("debian", "name=new label=red pool=varlibqubes", "ProtocolError", "Pool option specified but 'allow_pool' is False")]
    [InlineData("debian", "name=new label=red pool:root=varlibqubes", "ProtocolError", "Pool option specified but 'allow_pool' is False")]
    [InlineData("debian", "label=red", "ProtocolError", "Creation requested without key: name")]
    [InlineData("debian", "name=new", "ProtocolError", "Creation requested without key: label")]
    [InlineData("debian", "name=new label=teal", "QubesLabelNotFoundError", "Label does not exist: teal")]
    [InlineData("debian", "name=new label=1", "QubesInvalidLabelError", "Label must not be a digit")]
    [InlineData("debian", "name=../x label=red", "QubesValueError", "VM name cannot start with hyphen, underscore, dot or numbers")]
    [InlineData("debian", "name=work label=red", "QubesVMAlreadyExistsError", "Qube already exists: work")]
    [InlineData("nothing", "name=new label=red", "QubesVMNotFoundError", "No such domain: 'nothing'")]
    [InlineData("", "name=new label=red", "QubesValueError", "Template for the qube not specified, nor default template set.")]
    public async Task A_refused_creation_leaves_no_trace(string template, string payload, string error, string message)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string before = await fixture.CallAsync("admin.vm.List");
        Assert.Equal($"2\0{error}\0\0{message}\0", await fixture.CallAsync("admin.vm.Create.AppVM", template, payload: payload));
        Assert.Equal(before, await fixture.CallAsync("admin.vm.List"));
        Assert.Empty(fixture.Lifecycle.Asked);
        Assert.Equal(0, fixture.Commits);
    }

    [Fact]
    public async Task A_qube_that_is_still_being_made_does_not_exist_for_others()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string before = await fixture.CallAsync("admin.vm.List");
        TaskCompletionSource made = new();
        fixture.Lifecycle.Gate = made.Task;
        Task<string> making = fixture.CallAsync("admin.vm.Create.AppVM", "debian", payload: "name=new label=red");
        while (!await fixture.OnLoopAsync(app => app.Domains.TryGet("new", out _)))
        {
            await Task.Yield();
        }

        const string absent = "2\0QubesVMNotFoundError\0\0No such domain: 'new'\0";
        Assert.Equal(before, await fixture.CallAsync("admin.vm.List"));
        Assert.Equal(absent, await fixture.CallAsync("admin.vm.feature.Set", "x", "new", "1"));
        Assert.Equal(absent, await fixture.CallAsync("admin.vm.Create.DispVM", "new", payload: "name=other label=red"));
        Assert.StartsWith("2\0QubesPropertyValueError\0", await fixture.CallAsync("admin.vm.property.Set", "management_dispvm", "work", "new"), StringComparison.Ordinal);
        Assert.Equal("2\0QubesVMAlreadyExistsError\0\0Qube already exists: new\0",
            await fixture.CallAsync("admin.vm.Create.AppVM", "debian", payload: "name=new label=red"));

        made.SetResult();
        Assert.Equal("0\0", await making);
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.feature.Set", "x", "new", "1"));
        Assert.Contains("\nnew class=AppVM", await fixture.CallAsync("admin.vm.List"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_template_of_the_wrong_class_is_refused()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string reply = await fixture.CallAsync("admin.vm.Create.AppVM", "work", payload: "name=new label=red");
        Assert.StartsWith("2\0QubesPropertyValueError\0", reply, StringComparison.Ordinal);
        Assert.StartsWith("2\0QubesVMNotFoundError\0", await fixture.CallAsync("admin.vm.List", destination: "new"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("admin.vm.CreateInPool.AppVM", "debian")]
    [InlineData("admin.vm.CreateInPool.TemplateVM", "")]
    [InlineData("admin.vm.CreateInPool.StandaloneVM", "")]
    public async Task A_qube_can_be_created_in_given_pools(string method, string template)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync(method, template, payload: "name=one label=red pool=varlibqubes"));
        Assert.Equal("0\0", await fixture.CallAsync(method, template, payload: "name=two label=red pool:private=varlibqubes"));
        Assert.Equal(["create one varlibqubes", "confirm one", "create two  private=varlibqubes", "confirm two"], fixture.Lifecycle.Asked);
    }

    [Theory]
    [InlineData("pool=a pool=b", "ProtocolError", "Option 'pool' must be unique")]
    [InlineData("pool:root=a pool:root=b", "ProtocolError", "Option 'pool:root' must be unique")]
    [InlineData("pool:swap=a", "ProtocolError", "Volume must be one of: root, private, volatile, kernel")]
    [InlineData("pool=a pool:root=b", "ProtocolError", "Conflicting options specified: 'pool=', 'pool:volume='")]
    [InlineData("pool=nowhere", "QubesException", "Unknown storage pool nowhere")]
    [InlineData("pool:root=nowhere", "QubesException", "Unknown storage pool nowhere")]
    public async Task Pools_are_checked(string pools, string error, string message)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal($"2\0{error}\0\0{message}\0",
            await fixture.CallAsync("admin.vm.CreateInPool.AppVM", "debian", payload: "name=new label=red " + pools));
    }

    [Fact]
    public async Task Without_room_on_disk_nothing_remains_of_a_creation()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        fixture.Lifecycle.Failure = QubesErrors.StoragePool("no room");
        Assert.Equal("2\0StoragePoolException\0\0no room\0", await fixture.CallAsync("admin.vm.Create.AppVM", "debian", payload: "name=new label=red"));
        Assert.StartsWith("2\0QubesVMNotFoundError\0", await fixture.CallAsync("admin.vm.List", destination: "new"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_creation_that_cannot_be_recorded_takes_its_volumes_back()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        fixture.DiskIsFull = true;
        Assert.StartsWith("2\0QubesException\0",
            await fixture.CallAsync("admin.vm.Create.AppVM", "debian", payload: "name=new label=red"), StringComparison.Ordinal);
        Assert.Equal(["create new", "discard new"], fixture.Lifecycle.Asked);
        Assert.StartsWith("2\0QubesVMNotFoundError\0", await fixture.CallAsync("admin.vm.List", destination: "new"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Admin_vm_Remove()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("2\0QubesVMInUseError\0\0'dom0' cannot be removed\0", await fixture.CallAsync("admin.vm.Remove"));
        Assert.StartsWith("2\0QubesVMInUseError\0\0Domain is in use: 'debian'", await fixture.CallAsync("admin.vm.Remove", destination: "debian"), StringComparison.Ordinal);
        await fixture.OnLoopAsync(app => ((QubesVM)app.Domains["work"]).Runtime.State = PowerState.Running);
        Assert.Equal("2\0QubesVMNotHaltedError\0\0Domain is not powered off: 'work'\0", await fixture.CallAsync("admin.vm.Remove", destination: "work"));
        await fixture.OnLoopAsync(app => ((QubesVM)app.Domains["work"]).Runtime.State = PowerState.Halted);
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.Remove", destination: "work"));
        Assert.Equal("2\0QubesVMNotFoundError\0\0No such domain: 'work'\0", await fixture.CallAsync("admin.vm.Remove", destination: "work"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.Remove", destination: "debian"));
    }
}
