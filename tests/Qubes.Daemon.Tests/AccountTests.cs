using Qubes.Linux;

namespace Qubes.Daemon.Tests;

/// <summary>What the daemon says of the account of the daemons it starts.</summary>
public sealed class AccountTests
{
    [Fact]
    public async Task Without_the_group_it_serves_and_warns_once()
    {
        Assert.SkipUnless(UserAccount.IsRoot, "Only root is in the place of others");
        Assert.SkipUnless(
            (await ProcessCapture.RunAsync(
                new ChildProcessOptions { FileName = "/usr/bin/unshare", Arguments = ["--mount", "/bin/true"] }, timeout: QubesdProcess.Patience)).Exit.IsSuccess,
            "This machine does not let a process have mounts of its own");
        using ScratchRoot root = new();
        string groups = Path.Combine(root.Path, "group");
        await File.WriteAllTextAsync(groups, "root:x:0:\n");
        await using QubesdProcess? daemon = await QubesdProcess.TryStartAsync(root, faultPoint: null, out Func<Task<string>> log, groupFile: groups);
        Assert.NotNull(daemon);
        Assert.NotEmpty(await daemon.CallAsync("admin.vm.List"));
        await daemon.StopAsync();
        Assert.Single(
            (await log()).Split('\n'),
            line => line.EndsWith(
                "There is no group qubes: the daemons of qubes, which read what guests send, and the services they start run as root", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_account_that_is_asked_for_and_not_there_is_wrong_usage()
    {
        using ScratchRoot root = new();
        Assert.Null(await QubesdProcess.TryStartAsync(root, faultPoint: null, out Func<Task<string>> log, options: ["--daemon-user", "no-such-account"]));
        Assert.Contains("argument --daemon-user: there is no account no-such-account", await log(), StringComparison.Ordinal);
    }
}
