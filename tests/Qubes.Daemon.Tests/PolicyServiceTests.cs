using System.Text;
using Qubes.Linux;

namespace Qubes.Daemon.Tests;

/// <summary>The programs in <c>/etc/qubes-rpc</c> by which qubes that may read and change the policy, as qrexec starts them.</summary>
public sealed class PolicyServiceTests
{
    [Fact]
    public async Task The_policy_is_read_and_changed_by_services_and_each_call_is_logged()
    {
        using ScratchRoot root = new();
        await QubesdProcess.InitialiseAsync(root);
        Assert.True(Directory.Exists(root.Paths.BackupProfileDirectory));

        CapturedProcess list = await RunAsync(root, "policy.List");
        Assert.True(list.Exit.IsSuccess, list.ErrorText);
        Assert.StartsWith("85-admin-backup-restore\n90-admin-default\n", list.OutputText, StringComparison.Ordinal);

        CapturedProcess replaced = await RunAsync(root, "policy.Replace", "30-user", "new\nqubes.X * work vault allow\n");
        Assert.True(replaced.Exit.IsSuccess, replaced.ErrorText);
        Assert.Equal("", replaced.OutputText);
        Assert.EndsWith("\nqubes.X * work vault allow\n", (await RunAsync(root, "policy.Get", "30-user")).OutputText, StringComparison.Ordinal);

        CapturedProcess refused = await RunAsync(root, "policy.Replace", "30-user", "any\nnonsense\n");
        Assert.Equal(1, refused.Exit.Code);
        Assert.Equal("", refused.OutputText);
        Assert.StartsWith("PolicyAdminSyntaxException Policy change validation failed: ", Encoding.UTF8.GetString(refused.Error), StringComparison.Ordinal);

        string[] log = await File.ReadAllLinesAsync(root.Paths.Under("var/log/qubes/policy-admin.log"));
        Assert.Equal(["policy.List+ (mgmt)", "policy.Replace+30-user (mgmt)", "policy.Get+30-user (mgmt)"], log[..3].Select(line => line["2026-01-01 00:00:00 ".Length..]));
        Assert.Contains("policy.Replace+30-user (mgmt): error: ", log[3], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backend_registers_an_argument()
    {
        using ScratchRoot root = new();
        await QubesdProcess.InitialiseAsync(root);
        Assert.Equal(0, (await RegisterAsync(root, "key-1")).Exit.Code);
        CapturedProcess refused = await RegisterAsync(root, "key-1");
        Assert.Equal(1, refused.Exit.Code);
        Assert.Equal("", refused.OutputText + refused.ErrorText);
        Assert.Equal("u2f.Authenticate +key-1 work mgmt allow\n", await File.ReadAllTextAsync(Path.Combine(root.Paths.PolicyDirectory, "60-registered-arguments.policy")));
        string[] log = await File.ReadAllLinesAsync(root.Paths.Under("var/log/qubes/policy-register.log"));
        Assert.EndsWith(" u2f.Authenticate: work -> mgmt argument allowed", log[0], StringComparison.Ordinal);
        Assert.EndsWith(" u2f.Authenticate: work -> mgmt refused: There is a rule about this argument", log[1], StringComparison.Ordinal);

        static Task<CapturedProcess> RegisterAsync(ScratchRoot root, string argument) => RunAsync(
            root, "policy.RegisterArgument", "u2f.Authenticate", argument,
            new() { ["QREXEC_REQUESTED_TARGET"] = "work", ["QREXEC_SERVICE_ARGUMENT"] = "u2f.Authenticate" });
    }

    [Fact]
    public async Task A_host_that_cannot_do_it_is_told_from_a_refusal()
    {
        using ScratchRoot root = new();
        await QubesdProcess.InitialiseAsync(root);
        Directory.Delete(root.Paths.PolicyDirectory, recursive: true);
        CapturedProcess failed = await RunAsync(root, "policy.List");
        Assert.Equal(2, failed.Exit.Code);
        Assert.StartsWith("Internal error. See '", failed.ErrorText, StringComparison.Ordinal);
    }

    private static Task<CapturedProcess> RunAsync(
        ScratchRoot root, string service, string argument = "", string payload = "", Dictionary<string, string?>? further = null) => ProcessCapture.RunAsync(
        new ChildProcessOptions
        {
            FileName = Path.Combine(root.Paths.RpcDirectory, service),
            EnvironmentChanges = new Dictionary<string, string?>(further ?? [])
            {
                ["QREXEC_SERVICE_FULL_NAME"] = $"{service}+{argument}",
                ["QREXEC_REMOTE_DOMAIN"] = "mgmt",
                [QubesPaths.RootVariable] = root.Path,
            },
        },
        Encoding.UTF8.GetBytes(payload),
        timeout: QubesdProcess.Patience);
}
