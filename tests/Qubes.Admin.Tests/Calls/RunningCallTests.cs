using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

using Qubes.Testing;

namespace Qubes.Admin.Tests.Calls;

public sealed class RunningCallTests
{
    private const string Established = "1\0\0connection-established\0\0";

    private static Task RunAsync(AdminFixture fixture, string name, int xid) => fixture.OnLoopAsync(app =>
    {
        QubeRuntime runtime = ((QubesVM)app.Domains[name]).Runtime;
        runtime.State = PowerState.Running;
        runtime.Xid = xid;
        runtime.MemoryKiB = 409600;
        runtime.CpuTimeMs = 1234;
        runtime.CpuUsagePercent = 12;
        runtime.OnlineVCpus = 2;
    });

    private static string Report(string name) =>
        $"1\0{name}\0vm-stats\0memory_kb\0409600\0memory_assigned_total\0409600\0memory_assigned_usable\0409600\0memory_with_swap_used\0409600\0"
        + "cpu_time\01234\0cpu_usage\012\0online_vcpus\02\0\0";

    private static async Task<RawClient> SubscribeAsync(AdminFixture fixture, string destination)
    {
        RawClient client = await RawClient.ConnectAsync(fixture.AdminSocket);
        await client.SendAsync($"admin.vm.Stats+ dom0 name {destination}\0");
        client.FinishOutput();
        return client;
    }

    [Fact]
    public async Task Admin_vm_Stats()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("first");
        await RunAsync(fixture, "work", 9);
        await RunAsync(fixture, "first", 4);
        await fixture.OnLoopAsync(app => Model.QubesAppProperties.StatsInterval.SetInput(app, 0));
        using RawClient stats = await SubscribeAsync(fixture, "dom0");
        string round = Report("first") + Report("work");
        Assert.Equal(Established + round, await stats.ReadExactlyAsync(Established.Length + round.Length));

        // And again after the interval, which is never less than a second.
        Assert.Equal(round, await stats.ReadExactlyAsync(round.Length));
    }

    [Fact]
    public async Task The_figures_of_one_qube_end_with_it()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await RunAsync(fixture, "work", 9);
        await fixture.OnLoopAsync(app => Model.QubesAppProperties.StatsInterval.SetInput(app, 1));
        using RawClient stats = await SubscribeAsync(fixture, "work");
        string round = Established + Report("work");
        Assert.Equal(round, await stats.ReadExactlyAsync(round.Length));
        await fixture.OnLoopAsync(app => ((QubesVM)app.Domains["work"]).Runtime.State = PowerState.Halted);
        string rest = await stats.ReadToEndAsync();
        Assert.EndsWith("2\0QubesVMNotRunningError\0\0Domain not running (either powered off or paused): 'work'\0", rest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_halted_qube_has_no_figures()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("far", QubeClasses.RemoteVM);
        using RawClient halted = await SubscribeAsync(fixture, "work");
        Assert.Equal(Established + "2\0QubesVMNotRunningError\0\0Domain not running (either powered off or paused): 'work'\0", await halted.ReadToEndAsync());
        using RawClient remote = await SubscribeAsync(fixture, "far");
        Assert.Equal(Established + "2\0QubesVMError\0\0A RemoteVM has no figures.\0", await remote.ReadToEndAsync());
    }

    [Fact]
    public async Task Filters_of_handlers_hide_the_figures_of_qubes()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("hidden");
        await RunAsync(fixture, "hidden", 1);
        await RunAsync(fixture, "work", 2);
        Admin.Calls.AdminFilter filter = item => item is string name && name != "hidden";
        await fixture.OnLoopAsync(app => app.Events.On(Model.Events.EmitterClass.AdminVM, "admin-permission:admin.vm.Stats", asked => asked.AddResult(filter)));
        using RawClient stats = await SubscribeAsync(fixture, "dom0");
        string round = Established + Report("work");
        Assert.Equal(round, await stats.ReadExactlyAsync(round.Length));
    }

    [Theory]
    [InlineData("admin.vm.Suspend", "suspend work")]
    [InlineData("admin.vm.Resume", "resume work")]
    public async Task Sleep_is_the_business_of_the_lifecycle(string method, string asked)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync(method, destination: "work"));
        Assert.Equal([asked], fixture.Lifecycle.Asked);
        fixture.Lifecycle.Failure = QubesErrors.VMNotRunning("work");
        Assert.Equal("2\0QubesVMNotRunningError\0\0Domain not running (either powered off or paused): 'work'\0",
            await fixture.CallAsync(method, destination: "work"));
        Assert.Equal("2\0ProtocolError\0\0unexpected argument\0", await fixture.CallAsync(method, "force", "work"));
    }

    [Fact]
    public async Task Admin_vm_Console()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0/dev/pts/7", await fixture.CallAsync("admin.vm.Console", destination: "work"));
        fixture.Lifecycle.Failure = QubesErrors.VMNotRunning("work");
        Assert.StartsWith("2\0QubesVMNotRunningError\0", await fixture.CallAsync("admin.vm.Console", destination: "work"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("internal.SuspendPre", "suspend all")]
    [InlineData("internal.SuspendPost", "resume all")]
    public async Task The_host_sleeps_with_its_qubes(string method, string asked)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await RawClient.CallAsync(fixture.InternalSocket, $"{method}+ dom0 name dom0\0"));
        Assert.Equal([asked], fixture.Lifecycle.Asked);
        Assert.Equal("2\0ProtocolError\0\0expected destination to be AdminVM\0",
            await RawClient.CallAsync(fixture.InternalSocket, $"{method}+ dom0 name work\0"));
        Assert.StartsWith("2\0ProtocolError\0\0no such method:", await fixture.CallAsync(method), StringComparison.Ordinal);
    }
}
