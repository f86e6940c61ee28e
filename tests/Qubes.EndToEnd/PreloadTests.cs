using System.Diagnostics;
using Qubes.EndToEnd.Hosts;

namespace Qubes.EndToEnd;

/// <summary>Disposables started ahead of need, with real guests. One test, since each of its steps needs the guest of the one before.</summary>
[Collection(HostCollection.Name)]
public sealed class PreloadTests(RunningHost running)
{
    private const string Template = "ahead";

    private ScratchHost Host => running.Host;

    [Fact]
    public async Task Disposables_started_ahead_wait_survive_the_daemon_are_handed_out_and_replaced()
    {
        await LetTemplateAnnounceItselfAsync();
        await running.CreateAsync(Template);
        (await Host.RunAsync("qvm-prefs", Template, "template_for_dispvms", "True")).Expect();
        (await Host.RunAsync("qvm-features", Template, "preload-dispvm-delay", "0")).Expect();

        Stopwatch clock = Stopwatch.StartNew();
        string first = await ReadyAsync(() => Host.RunAsync("qvm-features", Template, "preload-dispvm-max", "1"));
        TimeSpan boot = clock.Elapsed;
        await WaitsAsync(first);

        Assert.Equal(0, await Host.StopDaemonAsync());
        await Host.StartDaemonAsync();
        await WaitsAsync(first);
        await Host.KillDaemonAsync();
        await Host.StartDaemonAsync();
        await WaitsAsync(first);

        await using (HostEvents events = await HostEvents.OpenAsync(Host))
        {
            clock.Restart();
            Assert.Equal("0\0" + first, (await Host.RunAsync("qubesd-query", "--empty", "dom0", "admin.vm.CreateDisposable", Template)).Expect().Output);
            Assert.Equal("booted\n", (await Host.InQubeAsync(first, "ls /run/qubes | grep booted")).Expect().Output);
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"A preloaded disposable ran its first command after {clock.ElapsedMilliseconds} ms, its boot took {boot.TotalMilliseconds:F0} ms");

            // Its place is filled at once. A daemon that dies while the next one boots takes that with it.
            while (await events.NextAsync("domain-spawn") == first)
            {
            }
        }

        string second = Assert.Single(await ListAsync());
        Assert.NotEqual(first, second);
        await Host.KillDaemonAsync();
        await Host.StartDaemonAsync();
        Assert.Empty(await ListAsync());
        Assert.DoesNotContain(second + "\n", (await Host.RunAsync("qvm-ls", "--raw-list")).Expect().Output, StringComparison.Ordinal);
        (await Host.InQubeAsync(first, "true")).Expect();

        // What the host runs at boot fills the gap.
        string third = await ReadyAsync(() => UnitFile.RunAsync(Host, "qubes-preload-dispvm.service", "ExecStart"));
        await WaitsAsync(third);

        await using (HostEvents events = await HostEvents.OpenAsync(Host))
        {
            (await Host.RunAsync("qvm-kill", first)).Expect();
            (await Host.RunAsync("qvm-features", Template, "preload-dispvm-max", "0")).Expect();
            HashSet<string> gone = [];
            while (!gone.SetEquals([first, third]))
            {
                gone.Add(await events.NextAsync("domain-shutdown"));
            }
        }

        await GoneAsync();
        (await Host.RunAsync("qvm-remove", "--force", Template)).Expect();
    }

    /// <summary>As after the template was installed: which services its guests have. Preloading depends on some of them.</summary>
    private async Task LetTemplateAnnounceItselfAsync()
    {
        (await Host.RunAsync("qvm-start", "minimal")).Expect();
        (await Host.RunAsync("qvm-run", "--service", "--pass-io", "--no-gui", "minimal", "qubes.PostInstall")).Expect();
        (await Host.RunAsync("qvm-shutdown", "--wait", "minimal")).Expect();
        Assert.Equal("1\n", (await Host.RunAsync("qvm-features", "minimal", "supported-rpc.qubes.WaitForRunningSystem")).Expect().Output);
    }

    /// <summary>The disposable that is ready after <paramref name="wish"/>.</summary>
    private async Task<string> ReadyAsync(Func<Task<ToolResult>> wish)
    {
        await using HostEvents events = await HostEvents.OpenAsync(Host);
        Task<ToolResult> wishing = wish();
        string ready = await events.NextAsync("domain-feature-set:preload-dispvm-completed");
        (await wishing).Expect();
        return ready;
    }

    /// <summary>Its guest is stopped, it is on offer, and people are not shown it.</summary>
    private async Task WaitsAsync(string disposable)
    {
        Assert.Equal("Paused", await Host.StateAsync(disposable));
        Assert.Equal([disposable], await ListAsync());
        Assert.Equal("1\n", (await Host.RunAsync("qvm-features", disposable, "internal")).Expect().Output);
    }

    private async Task<string[]> ListAsync() =>
        (await Host.RunAsync("qvm-features", Template, "preload-dispvm")).Expect().Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private async Task GoneAsync()
    {
        using CancellationTokenSource patience = new(ScratchHost.Patience);
        while ((await Host.RunAsync("qvm-ls", "--raw-list")).Expect().Output.Contains("disp", StringComparison.Ordinal))
        {
            patience.Token.ThrowIfCancellationRequested();
        }
    }
}
