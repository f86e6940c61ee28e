using Qubes.EndToEnd.Hosts;

namespace Qubes.EndToEnd;

/// <summary>The Admin API called from inside a qube: what policy allows works, the rest is refused, and the log says by which line.</summary>
[Collection(HostCollection.Name)]
public sealed class AdminFromQubeTests(RunningHost running)
{
    private const int Refused = 126;

    private const string Policy = """
        admin.vm.List      *  mgmt  @adminvm      allow  target=@adminvm
        admin.vm.List      *  mgmt  @anyvm        allow  target=@adminvm
        admin.vm.Start     *  mgmt  started       allow  target=@adminvm
        admin.vm.Shutdown  *  mgmt  started       allow  target=@adminvm
        admin.vm.List      *  work  @adminvm      deny
        admin.vm.List      *  mgmt  work          allow  target=@adminvm

        """;

    [Fact]
    public async Task A_call_that_policy_allows_is_answered()
    {
        running.Host.AddPolicy("30-admin.policy", Policy);
        ToolResult result = (await running.Host.InQubeAsync("mgmt", "qrexec-client-vm dom0 admin.vm.List")).Expect();
        Assert.StartsWith("0\0", result.Output, StringComparison.Ordinal);
        Assert.Contains("work class=AppVM state=Running", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_that_policy_denies_is_refused_and_the_log_names_the_line()
    {
        running.Host.AddPolicy("30-admin.policy", Policy);
        ToolResult result = (await running.Host.InQubeAsync("work", "qrexec-client-vm dom0 admin.vm.List")).Expect(Refused);
        Assert.Empty(result.Output);
        Assert.Contains("30-admin.policy:5", running.Host.Log(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_for_a_qube_the_policy_does_not_name_is_refused()
    {
        running.Host.AddPolicy("30-admin.policy", Policy);
        (await running.Host.InQubeAsync("mgmt", "qrexec-client-vm work admin.vm.Shutdown")).Expect(Refused);
        Assert.Equal("Running", await running.Host.StateAsync("work"));
    }

    [Fact]
    public async Task A_qube_starts_and_ends_another()
    {
        ScratchHost host = running.Host;
        host.AddPolicy("30-admin.policy", Policy);
        await running.CreateAsync("started");
        Assert.Equal("0\0", (await host.InQubeAsync("mgmt", "qrexec-client-vm started admin.vm.Start")).Expect().Output);
        Assert.Equal("Running", await host.StateAsync("started"));
        Assert.Equal("0\0", (await host.InQubeAsync("mgmt", "qrexec-client-vm started admin.vm.Shutdown")).Expect().Output);
        (await host.RunAsync("qvm-shutdown", "--wait", "started")).Expect();
        Assert.Equal("Halted", await host.StateAsync("started"));
        (await host.RunAsync("qvm-remove", "--force", "started")).Expect();
    }

    [Fact]
    public async Task The_tools_work_inside_a_qube()
    {
        running.Host.AddPolicy("30-admin.policy", Policy);
        ToolResult result = (await running.Host.InQubeAsync("mgmt", "qvm-ls --raw-list")).Expect();
        Assert.Contains("work\n", result.Output, StringComparison.Ordinal);
    }
}
