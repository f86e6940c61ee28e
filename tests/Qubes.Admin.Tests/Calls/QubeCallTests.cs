using System.Globalization;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

using Qubes.Testing;

namespace Qubes.Admin.Tests.Calls;

public sealed class QubeCallTests
{
    [Fact]
    public async Task Admin_vmclass_List()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0AdminVM\nAppVM\nDispVM\nRemoteVM\nStandaloneVM\nTemplateVM\n", await fixture.CallAsync("admin.vmclass.List"));
    }

    [Fact]
    public async Task Admin_vm_List()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("a-first");
        string[] lines = (await fixture.CallAsync("admin.vm.List")).Split('\n');
        Assert.Equal("0\0dom0 class=AdminVM state=Running uuid=00000000-0000-0000-0000-000000000000", lines[0]);
        Assert.StartsWith("a-first class=AppVM state=Halted uuid=", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("debian class=TemplateVM state=Halted uuid=", lines[2], StringComparison.Ordinal);
        Assert.StartsWith("work class=AppVM state=Halted uuid=", lines[3], StringComparison.Ordinal);
        Assert.Equal("", lines[4]);
        Assert.Equal("0\0" + lines[3] + "\n", await fixture.CallAsync("admin.vm.List", destination: "work"));
    }

    [Fact]
    public async Task A_list_follows_every_change_since_the_last_one()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Contains("\nwork class=AppVM state=Halted uuid=", await fixture.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        await fixture.OnLoopAsync(app => ((QubesVM)app.Domains["work"]).Runtime.State = PowerState.Paused);
        Assert.Contains("\nwork class=AppVM state=Paused uuid=", await fixture.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        await fixture.AddQubeAsync("between");
        Assert.Contains("\nbetween class=AppVM state=Halted uuid=", await fixture.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        await fixture.OnLoopAsync(app =>
        {
            app.Domains.Remove(app.Domains["between"]);
            return true;
        });
        Assert.DoesNotContain("between", await fixture.CallAsync("admin.vm.List"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_shows_another_qube_only_what_policy_lets_it_ask_about()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("other");
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.List", source: "work"));
        fixture.Policy.With("30-test.policy", "admin.vm.List + work other allow target=dom0\n");
        Assert.StartsWith("0\0other class=AppVM", await fixture.CallAsync("admin.vm.List", source: "work"), StringComparison.Ordinal);
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.List", source: "work", destination: "debian"));
    }

    [Fact]
    public async Task Admin_vm_CurrentState()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0mem=0 mem_static_max=0 cputime=0 power_state=Halted", await fixture.CallAsync("admin.vm.CurrentState", destination: "work"));
        int maxMem = await fixture.OnLoopAsync(app =>
        {
            QubesVM work = (QubesVM)app.Domains["work"];
            (work.Runtime.State, work.Runtime.MemoryKiB, work.Runtime.CpuTimeMs) = (PowerState.Running, 1234, 5);
            return work.MaxMem;
        });
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"0\0mem=1234 mem_static_max={maxMem * 1024L} cputime=5000000 power_state=Running"),
            await fixture.CallAsync("admin.vm.CurrentState", destination: "work"));
        Assert.EndsWith("power_state=Running", await fixture.CallAsync("admin.vm.CurrentState"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("admin.vm.Start", "", "start work")]
    [InlineData("admin.vm.Kill", "", "kill work")]
    [InlineData("admin.vm.Pause", "", "pause work")]
    [InlineData("admin.vm.Unpause", "", "unpause work")]
    [InlineData("admin.vm.Shutdown", "", "shutdown work force=False wait=False")]
    [InlineData("admin.vm.Shutdown", "force", "shutdown work force=True wait=False")]
    [InlineData("admin.vm.Shutdown", "wait+force", "shutdown work force=True wait=True")]
    [InlineData("admin.vm.Shutdown", "force+wait", "shutdown work force=True wait=True")]
    public async Task A_power_call_reaches_the_lifecycle_layer(string method, string argument, string asked)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync(method, argument, "work"));
        Assert.Equal([asked], fixture.Lifecycle.Asked);
        fixture.Lifecycle.Failure = QubesErrors.VMNotStarted("work");
        Assert.Equal("2\0QubesVMNotStartedError\0\0Domain is powered off: 'work'\0", await fixture.CallAsync(method, argument, "work"));
    }

    [Theory]
    [InlineData("now")]
    [InlineData("force+")]
    [InlineData("force+now")]
    public async Task Shutdown_knows_two_words(string argument)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("2\0ProtocolError\0\0Argument must match: force, wait\0", await fixture.CallAsync("admin.vm.Shutdown", argument, "work"));
        Assert.Empty(fixture.Lifecycle.Asked);
    }

    [Fact]
    public async Task A_call_that_waits_does_not_delay_others()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        TaskCompletionSource<string> never = new();
        fixture.Lifecycle.Gate = never.Task;
        using RawClient waiting = await RawClient.ConnectAsync(fixture.AdminSocket);
        await waiting.SendAsync("admin.vm.Start+ dom0 name work\0");
        waiting.FinishOutput();
        Assert.StartsWith("0\0dom0", await fixture.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        never.SetResult("");
        Assert.Equal("0\0", await waiting.ReadToEndAsync());
    }

    [Fact]
    public async Task Internal_GetSystemInfo()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        const string request = "internal.GetSystemInfo+ dom0 name dom0\0";
        string before = await RawClient.CallAsync(fixture.InternalSocket, request);
        Assert.StartsWith("""0{"domains": {"dom0": {"internal": null, "tags": [], "type": "AdminVM", "template_for_dispvms": false, """
            .Insert(1, "\0"), before, StringComparison.Ordinal);
        Assert.Contains("\"work\": {", before, StringComparison.Ordinal);
        Assert.Contains("\"icon\": \"appvm-red\", \"label\": \"0xcc0000\"", before, StringComparison.Ordinal);

        // A change, and a power state, which is none, are both seen at once.
        await fixture.CallAsync("admin.vm.tag.Set", "shown", "work");
        Assert.Contains("\"tags\": [\"shown\"]", await RawClient.CallAsync(fixture.InternalSocket, request), StringComparison.Ordinal);
        await fixture.OnLoopAsync(app => ((QubesVM)app.Domains["work"]).Runtime.State = PowerState.Paused);
        Assert.Contains("\"power_state\": \"Paused\"", await RawClient.CallAsync(fixture.InternalSocket, request), StringComparison.Ordinal);
    }
}
