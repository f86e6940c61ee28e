using Qubes.Testing;

namespace Qubes.Admin.Tests.Calls;

public sealed class RemoteQubeCallTests
{
    private static async Task<AdminFixture> StartAsync()
    {
        AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.Create.RemoteVM", payload: "name=far label=green"));
        return fixture;
    }

    [Fact]
    public async Task Admin_vm_Create_RemoteVM()
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.StartsWith("0\0far class=RemoteVM state=Running uuid=", await fixture.CallAsync("admin.vm.List", destination: "far"), StringComparison.Ordinal);
        Assert.Equal("0\0created-by-dom0\n", await fixture.CallAsync("admin.vm.tag.List", destination: "far"));
        Assert.Equal("2\0ProtocolError\0\0RemoteVM cannot be based on template\0",
            await fixture.CallAsync("admin.vm.Create.RemoteVM", "debian", payload: "name=other label=red"));
    }

    [Fact]
    public async Task Admin_vm_CreateInPool_RemoteVM()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.CreateInPool.RemoteVM", payload: "name=far label=green"));
        Assert.Equal("2\0QubesException\0\0Unknown storage pool nowhere\0",
            await fixture.CallAsync("admin.vm.CreateInPool.RemoteVM", payload: "name=other label=green pool=nowhere"));
    }

    [Fact]
    public async Task It_has_ten_properties()
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.Equal("0\0icon\ninclude_in_backups\nklass\nlabel\nname\nqid\nremote_name\ntransport_rpc\nuuid\nrelayvm\n",
            await fixture.CallAsync("admin.vm.property.List", destination: "far"));
        Assert.Equal("0\0default=True type=bool False", await fixture.CallAsync("admin.vm.property.Get", "include_in_backups", "far"));
        Assert.Equal("0\0default=True type=str remotevm-green", await fixture.CallAsync("admin.vm.property.Get", "icon", "far"));
        Assert.Equal("0\0default=True type=vm ", await fixture.CallAsync("admin.vm.property.Get", "relayvm", "far"));
        Assert.Equal("0\0default=True type=str ", await fixture.CallAsync("admin.vm.property.Get", "transport_rpc", "far"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.property.Set", "relayvm", "far", "work"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.property.Set", "transport_rpc", "far", "qubesair.SSHProxy"));
        Assert.Equal("2\0QubesNoSuchPropertyError\0\0Invalid property 'netvm' of far\0", await fixture.CallAsync("admin.vm.property.Get", "netvm", "far"));
        await fixture.CallAsync("admin.vm.Create.RemoteVM", payload: "name=further label=green");
        Assert.Equal("2\0QubesPropertyValueError\0\0wrong VM class: domains['further'] is of type RemoteVM and not LocalVM\0",
            await fixture.CallAsync("admin.vm.property.Set", "relayvm", "far", "further"));
        Assert.Equal("2\0QubesPropertyValueError\0\0wrong VM class: domains['far'] is of type RemoteVM and not LocalVM\0",
            await fixture.CallAsync("admin.property.Set", "clockvm", payload: "far"));
    }

    [Fact]
    public async Task Policy_is_told_of_its_relay_and_transport()
    {
        await using AdminFixture fixture = await StartAsync();
        await fixture.CallAsync("admin.vm.property.Set", "relayvm", "far", "work");
        await fixture.CallAsync("admin.vm.property.Set", "transport_rpc", "far", "ssh");
        string info = await RawClient.CallAsync(fixture.InternalSocket, "internal.GetSystemInfo+ dom0 name dom0\0");
        string far = info[info.IndexOf("\"far\": ", StringComparison.Ordinal)..];
        Assert.Contains("\"type\": \"RemoteVM\", \"template_for_dispvms\": false, \"default_dispvm\": null, \"icon\": \"appvm-green\", \"label\": \"0x73d216\", "
            + "\"guivm\": null, \"relayvm\": \"work\", \"transport_rpc\": \"ssh\", \"power_state\": \"Running\"", far, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_has_nothing_that_runs_or_is_stored_here()
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.Equal("0\0mem=0 mem_static_max=0 cputime=0 power_state=Running", await fixture.CallAsync("admin.vm.CurrentState", destination: "far"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.volume.List", destination: "far"));
        Assert.Equal("2\0PermissionDenied\0\0Argument not in 'far volumes'\0", await fixture.CallAsync("admin.vm.volume.Info", "private", "far"));
        Assert.Equal("2\0PermissionDenied\0\0Argument not in 'far volumes'\0", await fixture.CallAsync("admin.vm.volume.Clear", "private", "far"));
        Assert.Equal("2\0ProtocolError\0\0Argument not in far volumes\0",
            await RawClient.CallAsync(fixture.InternalSocket, "internal.vm.volume.ImportBegin+private dom0 name far\0"));
    }

    [Fact]
    public async Task It_keeps_its_relay_from_being_removed_and_can_be_removed_though_it_counts_as_running()
    {
        await using AdminFixture fixture = await StartAsync();
        await fixture.CallAsync("admin.vm.property.Set", "relayvm", "far", "work");
        Assert.StartsWith("2\0QubesVMInUseError\0\0Domain is in use: 'work'", await fixture.CallAsync("admin.vm.Remove", destination: "work"), StringComparison.Ordinal);
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.Remove", destination: "far"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.Remove", destination: "work"));
    }

    [Fact]
    public async Task As_a_caller_it_is_shown_only_what_policy_lets_it_see()
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.List", source: "far"));
    }
}
