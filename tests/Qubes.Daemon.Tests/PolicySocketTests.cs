using Qubes.Testing;

namespace Qubes.Daemon.Tests;

public sealed class PolicySocketTests
{
    private static async Task<string> AskAsync(RunningDaemon daemon, string source, string target, string service) =>
        await RawClient.CallAsync(daemon.Paths.PolicySocket, $"source={source}\nintended_target={target}\nservice_and_arg={service}\n\n");

    private static string UserPolicy(RunningDaemon daemon) => daemon.Paths.Under("etc/qubes/policy.d/30-user.policy");

    [Fact]
    public async Task Nothing_is_administered_by_default_and_a_line_changes_that_at_once()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        await daemon.CreateQubesAsync();
        await daemon.CreateQubesAsync("fedora", "mgmt");
        Assert.StartsWith("result=deny", await AskAsync(daemon, "mgmt", "work", "admin.vm.Start+"), StringComparison.Ordinal);
        await using (StreamWriter file = new(UserPolicy(daemon)))
        {
            await file.WriteAsync("admin.vm.Start + mgmt work allow target=dom0\nadmin.vm.List * mgmt * allow target=dom0\n");
        }

        Assert.StartsWith("user=DEFAULT\nresult=allow\ntarget=dom0\n", await AskAsync(daemon, "mgmt", "work", "admin.vm.Start+"), StringComparison.Ordinal);
        Assert.StartsWith("result=deny", await AskAsync(daemon, "work", "mgmt", "admin.vm.Start+"), StringComparison.Ordinal);

        // The same file decides what a list shows.
        string list = await daemon.CallAsync("admin.vm.List", source: "mgmt");
        Assert.Contains("work class=AppVM", list, StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.List", source: "work"));
    }

    [Fact]
    public async Task A_syntax_error_denies_everything_and_is_named_in_the_log()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        await daemon.CreateQubesAsync();
        await daemon.CreateQubesAsync("fedora", "mgmt");
        await using (StreamWriter file = new(UserPolicy(daemon)))
        {
            await file.WriteAsync("admin.vm.Start + mgmt work allow target=dom0\nthis is no rule\n");
        }

        Assert.StartsWith("result=deny", await AskAsync(daemon, "mgmt", "work", "admin.vm.Start+"), StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.List", source: "mgmt"));
        Assert.StartsWith("0\0dom0", await daemon.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        await daemon.Process.StopAsync();
        Assert.Contains("30-user.policy:2", await daemon.Process.ReadLogAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("allow:dom0", true, null)]
    [InlineData("allow:mgmt", false, "target mgmt is not a valid choice")]
    [InlineData("deny", false, "denied by the user")]
    [InlineData("", false, "invalid response")]
    [InlineData("allow dom0", false, "invalid response")]
    [InlineData(null, false, "nobody could be asked")]
    public async Task A_person_is_asked_by_the_agent_in_dom0(string? answer, bool isAllowed, string? reason)
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        await daemon.CreateQubesAsync();
        await daemon.CreateQubesAsync("fedora", "mgmt");
        await File.WriteAllTextAsync(UserPolicy(daemon), "svc.Test * mgmt * ask target=dom0 notify=no\n");
        using ScriptedAgent? agent = answer is null ? null : new ScriptedAgent(daemon.Paths.PolicyAgentSocket, answer);
        string decision = await AskAsync(daemon, "mgmt", "work", "svc.Test+arg");
        Assert.StartsWith(isAllowed ? "user=DEFAULT\nresult=allow\ntarget=dom0\n" : "result=deny", decision, StringComparison.Ordinal);
        if (agent is not null)
        {
            string request = await agent.NextAsync();
            Assert.StartsWith("policy.Ask dom0 name dom0\0{\"source\": \"mgmt\", \"service\": \"svc.Test\", \"argument\": \"+arg\", " +
                "\"targets\": [\"dom0\"], \"default_target\": \"\", \"icons\": {", request, StringComparison.Ordinal);
        }

        await daemon.Process.StopAsync();
        string log = await daemon.Process.ReadLogAsync();
        Assert.Contains(reason ?? "allowed to dom0", log, StringComparison.Ordinal);
        if (answer is null)
        {
            Assert.Contains($"cannot ask about a call from mgmt: no agent listens at {daemon.Paths.RpcDirectory}/policy.Ask", log, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("allow target=dom0 notify=yes", "{\"resolution\": \"allow\", \"service\": \"svc.Test\", \"argument\": \"+arg\", \"source\": \"mgmt\", \"target\": \"dom0\"}")]
    [InlineData("deny", "{\"resolution\": \"deny\", \"service\": \"svc.Test\", \"argument\": \"+arg\", \"source\": \"mgmt\", \"target\": \"work\"}")]
    public async Task A_person_is_told_by_the_agent_in_dom0(string action, string notice)
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        await daemon.CreateQubesAsync();
        await daemon.CreateQubesAsync("fedora", "mgmt");
        await File.WriteAllTextAsync(UserPolicy(daemon), $"svc.Test * mgmt * {action}\n");
        using ScriptedAgent agent = new(daemon.Paths.PolicyAgentSocket, "");
        await AskAsync(daemon, "mgmt", "work", "svc.Test+arg");
        Assert.Equal("policy.Notify dom0 name dom0\0" + notice, await agent.NextAsync());
    }
}
