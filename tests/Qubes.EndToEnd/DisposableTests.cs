using Qubes.EndToEnd.Hosts;

namespace Qubes.EndToEnd;

/// <summary>A disposable with a real guest: it runs a command through qrexec, and is gone with it.</summary>
[Collection(HostCollection.Name)]
public sealed class DisposableTests(RunningHost running)
{
    [Fact]
    public async Task A_qube_uses_a_disposable_that_is_gone_afterwards()
    {
        ScratchHost host = running.Host;
        host.AddPolicy("30-disposable.policy", "qubes.VMShell * work @dispvm:dvm allow\n");
        await running.CreateAsync("dvm");
        (await host.RunAsync("qvm-prefs", "dvm", "template_for_dispvms", "True")).Expect();
        ToolResult result = await host.InQubeAsync(
            "work", "qvm-run --pass-io --no-gui --dispvm=dvm -- 'echo in a disposable; id -un; exit 3'");
        Assert.Equal("in a disposable\nuser\n", result.Expect(3).Output);

        // The caller has its answer before the disposable is gone; it cannot be used any more, so it goes by itself.
        await GoneAsync(host);
        (await host.RunAsync("qvm-remove", "--force", "dvm")).Expect();
        Assert.DoesNotContain(Directory.GetDirectories(host.Paths.AppVmsDirectory), path => Path.GetFileName(path).StartsWith("disp", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_host_uses_a_disposable_that_is_gone_when_the_command_returns()
    {
        ScratchHost host = running.Host;
        await running.CreateAsync("dvm2");
        (await host.RunAsync("qvm-prefs", "dvm2", "template_for_dispvms", "True")).Expect();
        ToolResult result = await host.RunAsync("qvm-run", ["--pass-io", "--no-gui", "--dispvm=dvm2", "--", "cat; exit 4"], "input"u8.ToArray());
        Assert.Equal("input", result.Expect(4).Output);
        Assert.DoesNotContain("disp", (await host.RunAsync("qvm-ls", "--raw-list")).Expect().Output, StringComparison.Ordinal);
        (await host.RunAsync("qvm-remove", "--force", "dvm2")).Expect();
    }

    private static async Task GoneAsync(ScratchHost host)
    {
        using CancellationTokenSource patience = new(ScratchHost.Patience);
        while ((await host.RunAsync("qvm-ls", "--raw-list")).Expect().Output.Contains("disp", StringComparison.Ordinal))
        {
            patience.Token.ThrowIfCancellationRequested();
        }
    }
}
