namespace Qubes.Daemon.Tests;

/// <summary>Disposables with everything real but the guests.</summary>
public sealed class DisposableTests
{
    [Fact]
    public async Task A_disposable_lives_once_and_leaves_nothing()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        await PrepareAsync(daemon);
        string name = await CreateAsync(daemon);
        Assert.Contains($"{name} class=DispVM state=Halted", await daemon.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: name));
        Assert.Contains("power_state=Running", await daemon.CallAsync("admin.vm.CurrentState", destination: name), StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Kill", destination: name));
        await AssertGoneAsync(daemon, name);
    }

    [Fact]
    public async Task A_daemon_that_was_killed_starts_without_those_nobody_uses_and_with_those_that_have_a_name()
    {
        using ScratchRoot root = new();
        string name;
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await PrepareAsync(daemon);
            name = await CreateAsync(daemon);
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.DispVM", "work", payload: "name=named label=red"));
            await daemon.Process.KillAsync();
        }

        await using RunningDaemon restarted = await RunningDaemon.StartAsync(root);
        await AssertGoneAsync(restarted, name);
        Assert.Contains("named class=DispVM state=Halted", await restarted.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        Assert.Equal("0\0default=False type=vm work", await restarted.CallAsync("admin.vm.property.Get", "template", "named"));
    }

    [Fact]
    public async Task Those_kept_ready_are_handed_out_and_go_with_their_template()
    {
        await using RunningDaemon daemon = await RunningDaemon.StartAsync();
        await PrepareAsync(daemon);
        foreach (string feature in (string[])["qrexec", "supported-rpc.qubes.WaitForRunningSystem", "supported-rpc.qubes.WaitForSession"])
        {
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.feature.Set", feature, "work", "1"));
        }

        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.feature.Set", "preload-dispvm-max", "work", "1"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.CreateDisposable", "preload", "work"));
        string ready = (await daemon.CallAsync("admin.vm.feature.Get", "preload-dispvm", "work"))[2..];
        Assert.Equal("0\0default=True type=bool True", await daemon.CallAsync("admin.vm.property.Get", "is_preload", ready));
        Assert.Equal(ready, await CreateAsync(daemon));
        Assert.Contains("power_state=Running", await daemon.CallAsync("admin.vm.CurrentState", destination: ready), StringComparison.Ordinal);
        Assert.Contains("created-by-dom0\ndisp-created-by-dom0\n", await daemon.CallAsync("admin.vm.tag.List", destination: ready), StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Kill", destination: ready));

        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.CreateDisposable", "preload", "work"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Remove", destination: "work"));
        Assert.DoesNotContain("class=DispVM", await daemon.CallAsync("admin.vm.List"), StringComparison.Ordinal);
    }

    private static async Task PrepareAsync(RunningDaemon daemon)
    {
        await daemon.CreateQubesAsync();
        await daemon.CallAsync("admin.vm.property.Set", "kernel", "debian");
        await daemon.CallAsync("admin.vm.property.Set", "kernel", "work");
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.property.Set", "template_for_dispvms", "work", "True"));
    }

    private static async Task<string> CreateAsync(RunningDaemon daemon)
    {
        string reply = await daemon.CallAsync("admin.vm.CreateDisposable", destination: "work");
        Assert.StartsWith("0\0disp", reply, StringComparison.Ordinal);
        return reply[2..];
    }

    private static async Task AssertGoneAsync(RunningDaemon daemon, string name)
    {
        Assert.DoesNotContain(name, await daemon.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(daemon.Paths.AppVmsDirectory, name)));
    }
}
