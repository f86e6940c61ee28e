using System.Runtime.CompilerServices;
using Qubes.Policy.Checking;
using Qubes.Policy.Evaluation;
using Qubes.Policy.Loading;
using Qubes.Policy.Syntax;
using Qubes.Policy.SystemState;

namespace Qubes.Policy.Tests.Loading;

/// <summary>The policy of this repository, put in force on a scratch root.</summary>
public sealed class ShippedPolicyTests : IDisposable
{
    private readonly ScratchRoot _root = new();

    public ShippedPolicyTests()
    {
        foreach (string name in DefaultPolicy.Names)
        {
            string file = Path.Join(_root.Paths.PolicyDirectory, name);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            using FileStream copy = File.Create(file);
            copy.Write(DefaultPolicy.Read(name));
        }
    }

    public void Dispose() => _root.Dispose();

    private static string Shipped([CallerFilePath] string here = "") =>
        Path.GetFullPath("../../../etc/qubes/policy.d", Path.GetDirectoryName(here)!);

    private string Decide(string service, string source, string target) =>
        PolicyEvaluator.Decide(PolicyLoader.Load(_root.Source), new PolicyCall(source, target, service), TestSystem.Info) switch
        {
            CallAllowed allowed => allowed.Target.Text,
            CallAsked => "ask",
            CallDenied { DecidedBy: null } denied => denied.Reason,
            _ => "deny",
        };

    [Fact]
    public void All_files_of_the_repository_are_carried_along()
    {
        Assert.Equal(
            Directory.EnumerateFiles(Shipped(), "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Shipped(), f)).Order(StringComparer.Ordinal),
            DefaultPolicy.Names);
        Assert.All(DefaultPolicy.Names, name => Assert.Equal(File.ReadAllBytes(Path.Join(Shipped(), name)), DefaultPolicy.Read(name)));
    }

    [Fact]
    public void Every_shipped_file_is_free_of_mistakes()
    {
        LoadedPolicy policy = PolicyLoader.Load(_root.Source);
        Assert.Empty(policy.Errors);
        Assert.Empty(policy.Warnings);
        foreach (string file in Directory.EnumerateFiles(_root["etc/qubes/policy.d/include"]))
        {
            Assert.Empty(PolicyCheck.CheckText(file, File.ReadAllText(file), PolicyFormat.OneService));
        }

        Assert.Equal(
            Directory.EnumerateFiles(_root["etc/qubes/policy.d"], "*.policy").Order(StringComparer.Ordinal),
            policy.Files.Where(f => f.EndsWith(".policy", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("qubes.Filecopy", "work", "bank", "ask")]
    [InlineData("qubes.Filecopy", "work", "dom0", "no matching rule found")]
    [InlineData("qubes.VMShell", "work", "@dispvm", "@dispvm:dvm")]
    [InlineData("qubes.VMShell", "work", "bank", "deny")]
    [InlineData("qubes.VMShell", "work", "dom0", "no matching rule found")]
    [InlineData("qubes.VMRootShell", "work", "@dispvm", "deny")]
    [InlineData("qubes.OpenInVM", "work", "bank", "ask")]
    [InlineData("qubes.GetDate", "work", "@default", "dom0")]
    [InlineData("qubes.FeaturesRequest", "work", "dom0", "dom0")]
    [InlineData("qubes.UpdatesProxy", "work", "@default", "deny")]
    [InlineData("qubes.ReceiveUpdates", "work", "dom0", "dom0")]
    [InlineData("policy.RegisterArgument+u2f.Register", "work", "dom0", "deny")]
    [InlineData("policy.Replace+30-user", "work", "dom0", "no matching rule found")]
    [InlineData("admin.property.GetAll", "work", "dom0", "deny")]
    [InlineData("admin.vm.property.GetAll", "work", "bank", "deny")]
    [InlineData("admin.vm.List", "work", "dom0", "no matching rule found")]
    [InlineData("admin.vm.Create.AppVM+fedora", "work", "dom0", "no matching rule found")]
    [InlineData("qubes.Unknown", "work", "bank", "no matching rule found")]
    public void Nothing_is_allowed_but_what_the_files_say(string service, string source, string target, string expected) =>
        Assert.Equal(expected, Decide(service, source, target));

    [Fact]
    public void Who_may_change_may_look()
    {
        _root.Write("etc/qubes/policy.d/90-admin-default.policy",
            "!include-service admin.vm.Start * include/admin-local-rwx\n!include-service admin.vm.CurrentState * include/admin-local-ro\n"
            + "!include-service admin.pool.Add * include/admin-global-rwx\n!include-service admin.pool.List * include/admin-global-ro\n");
        foreach (string include in (string[])["local", "global", "policy"])
        {
            _root.Write($"etc/qubes/policy.d/include/admin-{include}-rwx", "work * allow target=dom0\n");
        }

        foreach (string service in (string[])["admin.vm.Start", "admin.vm.CurrentState", "admin.pool.Add", "admin.pool.List", "policy.Replace", "policy.Get"])
        {
            Assert.Equal("dom0", Decide(service, "work", "@adminvm"));
            Assert.Equal("no matching rule found", Decide(service, "bank", "@adminvm"));
        }
    }

    [Fact]
    public void A_restore_may_touch_only_the_qubes_it_made()
    {
        SystemInfo during = new(TestSystem.Info.Qubes.Select(q => q.Name switch
        {
            "work" => q with { Tags = ["backup-restore-mgmt"] },
            "bank" => q with { Tags = ["backup-restore-in-progress"] },
            _ => q,
        }));
        LoadedPolicy policy = PolicyLoader.Load(_root.Source);
        bool IsAllowed(string service, string target) => PolicyEvaluator.IsAllowed(policy, new PolicyCall("work", target, service), during);
        Assert.True(IsAllowed("admin.vm.property.Set+netvm", "bank"));
        Assert.False(IsAllowed("admin.vm.property.Set+netvm", "gui"));
        Assert.True(IsAllowed("admin.vm.Create.AppVM+fedora", "dom0"));
        Assert.True(IsAllowed("admin.vm.property.Get+provides_network", "gui"));
        Assert.False(IsAllowed("admin.vm.property.Get+netvm", "gui"));
        Assert.True(IsAllowed("admin.vm.List", "gui"));
        Assert.False(IsAllowed("admin.vm.Remove", "bank"));
    }
}
