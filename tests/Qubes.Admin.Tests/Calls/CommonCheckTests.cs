using Qubes.Admin.Methods;
using Qubes.Linux;
using Qubes.Testing;

namespace Qubes.Admin.Tests.Calls;

/// <summary>The checks that every call goes through before its handler, by raw bytes.</summary>
public sealed class CommonCheckTests
{
    [Theory]
    [InlineData("garbage", "2\0QubesDaemonCommunicationError\0\0framing error: request header is not terminated\0")]
    [InlineData("\0", "2\0QubesDaemonCommunicationError\0\0framing error: request header has too few fields\0")]
    [InlineData("admin.vm.List+ dom0 name\0", "2\0QubesDaemonCommunicationError\0\0framing error: request header has too few fields\0")]
    [InlineData("admin.vm.List+ dom0 NAME dom0\0", "2\0QubesDaemonCommunicationError\0\0framing error: unknown destination type\0")]
    [InlineData("admin.vm.List+ dom0 keyword default\0", "2\0QubesDaemonCommunicationError\0\0framing error: unknown destination keyword\0")]
    [InlineData("admin.vm.List+ d\u00f6m name dom0\0", "2\0QubesDaemonCommunicationError\0\0framing error: request header contains non-ASCII bytes\0")]
    [InlineData("admin.vm.List+ nobody name dom0\0", "2\0QubesVMNotFoundError\0\0No such domain: 'nobody'\0")]
    [InlineData("admin.vm.List+ dom0 name nobody\0", "2\0QubesVMNotFoundError\0\0No such domain: 'nobody'\0")]
    [InlineData("admin.vm.List+ dom0 name uuid:00000000-0000-0000-0000-000000000001\0",
        "2\0QubesVMNotFoundError\0\0No such domain: 'uuid:00000000-0000-0000-0000-000000000001'\0")]
    [InlineData("admin.vm.List+ dom0 name uuid:00000000-0000-0000-0000-00000000000Z\0",
        "2\0QubesVMInvalidUUIDError\0\0VM UUID is not valid: '00000000-0000-0000-0000-00000000000Z'\0")]
    [InlineData("admin.vm.List+ dom0 name uuid:\0", "2\0QubesVMInvalidUUIDError\0\0VM UUID is not valid: ''\0")]
    [InlineData("admin.vm.Nothing+ dom0 name dom0\0", "2\0ProtocolError\0\0no such method: 'admin.vm.Nothing'\0")]
    [InlineData("ADMIN.VM.LIST+ dom0 name dom0\0", "2\0ProtocolError\0\0no such method: 'ADMIN.VM.LIST'\0")]
    [InlineData("internal.GetSystemInfo+ dom0 name dom0\0", "2\0ProtocolError\0\0no such method: 'internal.GetSystemInfo'\0")]
    [InlineData("qubes.NotifyTools+ dom0 name dom0\0", "2\0ProtocolError\0\0no such method: 'qubes.NotifyTools'\0")]
    [InlineData("admin.label.Create+teal dom0 name dom0\0", "2\0ProtocolError\0\0expected payload\0")]
    [InlineData("admin.vm.List+ dom0 name dom0\0x", "2\0ProtocolError\0\0unexpected payload\0")]
    [InlineData("admin.vm.tag.Get+ dom0 name work\0", "2\0ProtocolError\0\0expected an argument\0")]
    [InlineData("admin.vm.List+x dom0 name dom0\0", "2\0ProtocolError\0\0unexpected argument\0")]
    [InlineData("admin.label.List+ dom0 name work\0", "2\0ProtocolError\0\0expected destination to be AdminVM\0")]
    public async Task Each_mistake_gets_its_reply(string request, string reply)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal(reply, await RawClient.CallAsync(fixture.AdminSocket, request));
    }

    [Theory]
    [InlineData("1abc", "VM name cannot start with hyphen, underscore, dot or numbers")]
    [InlineData("-abc", "VM name cannot start with hyphen, underscore, dot or numbers")]
    [InlineData("", "VM name contains illegal characters")]
    [InlineData("a/b", "VM name contains illegal characters")]
    [InlineData("..", "VM name cannot start with hyphen, underscore, dot or numbers")]
    [InlineData("a b", "VM name contains illegal characters")]
    [InlineData("Domain-0", "VM name cannot be 'Domain-0'")]
    [InlineData("none", "VM name cannot be 'none' nor 'default'")]
    [InlineData("default", "VM name cannot be 'none' nor 'default'")]
    [InlineData("work-dm", "VM name cannot end with -dm")]
    [InlineData("a1234567890123456789012345678901", "VM name must be shorter than 32 characters")]
    public async Task An_impossible_name_is_a_value_error(string name, string message)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal($"2\0QubesValueError\0\0{message}\0", await RawClient.CallAsync(fixture.AdminSocket, $"admin.vm.List+ dom0 name {name}\0"));
    }

    [Fact]
    public async Task The_source_is_judged_before_the_destination_and_both_before_the_method()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Contains("'one'", await RawClient.CallAsync(fixture.AdminSocket, "nothing+ one name two\0"), StringComparison.Ordinal);
        Assert.Contains("'two'", await RawClient.CallAsync(fixture.AdminSocket, "nothing+ dom0 name two\0"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Payload_is_judged_before_argument_and_argument_before_destination()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Contains("unexpected payload",
            await RawClient.CallAsync(fixture.AdminSocket, "admin.label.List+x dom0 name work\0x"), StringComparison.Ordinal);
        Assert.Contains("unexpected argument",
            await RawClient.CallAsync(fixture.AdminSocket, "admin.label.List+x dom0 name work\0"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dom0_can_be_named_by_keyword_and_by_UUID()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string byName = await fixture.CallAsync("admin.vm.List");
        Assert.StartsWith("0\0dom0 class=AdminVM", byName, StringComparison.Ordinal);
        Assert.Equal(byName, await RawClient.CallAsync(fixture.AdminSocket, "admin.vm.List+ work keyword adminvm\0".Replace("work", "dom0", StringComparison.Ordinal)));
        Assert.Equal(byName, await fixture.CallAsync("admin.vm.List", destination: "uuid:00000000-0000-0000-0000-000000000000"));
    }

    [Fact]
    public async Task A_defect_of_the_daemon_gets_a_reply_too_and_tells_nothing()
    {
        AdminMethodTable broken = new(new AdminMethod("admin.Broken")
        {
            Help = "",
            Answer = _ => throw new InvalidOperationException("the secret reason"),
        });
        await using AdminFixture fixture = await AdminFixture.StartAsync(broken);
        Assert.Equal("2\0QubesException\0\0internal error in qubesd, see its log for details\0", await fixture.CallAsync("admin.Broken"));
    }

    [Theory]
    [InlineData(28, "No space left on device")]
    [InlineData(30, "Read-only file system")]
    [InlineData(5, "Input/output error")]
    [InlineData(122, "Disk quota exceeded")]
    public async Task A_disk_that_refuses_is_named_but_not_the_file(int errno, string reason)
    {
        AdminMethodTable full = new(
            new AdminMethod("admin.Full") { Help = "", Answer = _ => throw new LinuxException("write", errno, "/secret") },
            new AdminMethod("admin.Plain") { Help = "", Answer = _ => throw new IOException("/secret", errno) });
        await using AdminFixture fixture = await AdminFixture.StartAsync(full);
        string expected = $"2\0QubesException\0\0The disk of the host takes no changes: {reason}\0";
        Assert.Equal(expected, await fixture.CallAsync("admin.Full"));
        Assert.Equal(expected, await fixture.CallAsync("admin.Plain"));
    }

    [Fact]
    public async Task A_handler_that_does_not_ask_for_permission_fails()
    {
        AdminMethodTable careless = new(new AdminMethod("admin.Careless") { Help = "", Answer = call => call.Write("secret") });
        await using AdminFixture fixture = await AdminFixture.StartAsync(careless);
        string reply = await fixture.CallAsync("admin.Careless");
        Assert.StartsWith("2\0QubesException\0", reply, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", reply, StringComparison.Ordinal);
    }
}
