namespace Qubes.Daemon.Tests.Crash;

/// <summary>What the daemon does with a <c>qubes.xml</c> that is not as it should be.</summary>
public sealed class DamagedStoreTests(PreparedState state) : IClassFixture<PreparedState>
{
    [Theory]
    [InlineData("empty")]
    [InlineData("truncated")]
    [InlineData("wrong-root")]
    [InlineData("zeros")]
    [InlineData("no-xml")]
    public async Task A_damaged_store_is_replaced_by_the_last_good_one(string damage)
    {
        await state.RestoreAsync();
        string path = state.Root.Paths.StoreFile;
        byte[] good = await File.ReadAllBytesAsync(path);
        byte[] damaged = damage switch
        {
            "empty" => [],
            "truncated" => good[..(good.Length / 2)],
            "wrong-root" => "<kubes></kubes>\n"u8.ToArray(),
            "zeros" => new byte[good.Length],
            _ => "qubes\n"u8.ToArray(),
        };
        await File.WriteAllBytesAsync(path, damaged);

        await using QubesdProcess daemon = await QubesdProcess.StartAsync(state.Root);

        Assert.Contains(DaemonCrashScenario.Template, await DaemonCrashScenario.ListAsync(daemon));
        await daemon.CallAsync("admin.vm.feature.Set", DaemonCrashScenario.Template, "alive", "1");
        Assert.True((await daemon.StopAsync()).IsSuccess);
        // Loudly: an administrator must learn of it.
        Assert.Contains("qubes.xml", await daemon.ReadLogAsync(), StringComparison.Ordinal);
        await using QubesdProcess again = await QubesdProcess.StartAsync(state.Root);
        Assert.Equal("1", await again.CallAsync("admin.vm.feature.Get", DaemonCrashScenario.Template, "alive"));
    }

    [Theory]
    [InlineData("class=\"AppVM\"", "class=\"NoSuchVM\"")]
    [InlineData(">red</property>", ">pink</property>")]
    [InlineData("<property name=\"label\">", "<property name=\"colour\">")]
    [InlineData("<property name=\"template\">tpl<", "<property name=\"template\">gone<")]
    [InlineData("<tag name=\"created-by-dom0\"/>", "<tag name=\"created by dom0\"/>")]
    [InlineData("rw=\"True\"", "rw=\"perhaps\"")]
    public async Task A_bad_qube_is_set_aside_kept_and_its_data_stays(string good, string bad)
    {
        await state.RestoreAsync();
        string path = state.Root.Paths.StoreFile;
        string store = await File.ReadAllTextAsync(path);
        int at = store.IndexOf("class=\"AppVM\"", StringComparison.Ordinal);
        int where = store.IndexOf(good, at, StringComparison.Ordinal);
        Assert.True(where >= 0, store);
        await File.WriteAllBytesAsync(path, System.Text.Encoding.UTF8.GetBytes(store.Remove(where, good.Length).Insert(where, bad)));

        await using QubesdProcess daemon = await QubesdProcess.StartAsync(state.Root);
        IReadOnlyList<string> qubes = await DaemonCrashScenario.ListAsync(daemon);
        Assert.Contains(DaemonCrashScenario.Template, qubes);
        Assert.DoesNotContain(DaemonCrashScenario.Qube, qubes);
        // Its name stays taken, or the next one to be created would get its data.
        AdminAnswer? refused = await daemon.TryCallAsync(
            "admin.vm.Create.AppVM", "dom0", DaemonCrashScenario.Template, $"name={DaemonCrashScenario.Qube} label=red");
        Assert.True(refused is { IsSuccess: false }, refused?.ToString());

        await daemon.CallAsync("admin.vm.feature.Set", DaemonCrashScenario.Template, "x", "1");
        Assert.True((await daemon.StopAsync()).IsSuccess);
        string after = await File.ReadAllTextAsync(path);
        Assert.Contains(bad, after, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.EnumerateFileSystemEntries(Path.Combine(state.Root.Paths.AppVmsDirectory, DaemonCrashScenario.Qube)));

        // Repaired by hand, it is back.
        await File.WriteAllBytesAsync(path, System.Text.Encoding.UTF8.GetBytes(after.Replace(bad, good, StringComparison.Ordinal)));
        await using QubesdProcess repaired = await QubesdProcess.StartAsync(state.Root);
        Assert.Contains(DaemonCrashScenario.Qube, await DaemonCrashScenario.ListAsync(repaired));
    }

    /// <summary>Pools that this version, or this machine, can do nothing with are named, kept, and in nobody's way.</summary>
    [Theory]
    [InlineData("<pool name=\"odd\" driver=\"no-such\" x=\"1\"/>", "odd")]
    [InlineData("<pool name=\"half\" driver=\"file-qcow2\"/>", "half")]
    [InlineData("<pool name=\"wrong\" dir_path=\"here\" driver=\"file-qcow2\"/>", "wrong")]
    [InlineData("<pool name=\"more\" dir_path=\"/var/tmp/qubes-none\" driver=\"file-qcow2\" x=\"1\"/>", "more")]
    [InlineData("<pool driver=\"file-qcow2\" dir_path=\"/x\"/>", "''")]
    public async Task A_bad_pool_is_told_of_and_kept(string pool, string named)
    {
        await state.RestoreAsync();
        string path = state.Root.Paths.StoreFile;
        string store = await File.ReadAllTextAsync(path);
        await File.WriteAllBytesAsync(path, System.Text.Encoding.UTF8.GetBytes(store.Replace("  </pools>", $"    {pool}\n  </pools>", StringComparison.Ordinal)));
        await using QubesdProcess daemon = await QubesdProcess.StartAsync(state.Root);
        Assert.Contains(DaemonCrashScenario.Qube, await DaemonCrashScenario.ListAsync(daemon));
        await DaemonCrashScenario.RunOnceAsync(daemon, DaemonCrashScenario.Qube);
        await daemon.CallAsync("admin.vm.feature.Set", DaemonCrashScenario.Template, "x", "1");
        AdminAnswer? told = await daemon.TryCallAsync("admin.pool.Info", argument: named);
        Assert.NotNull(told);
        Assert.True((await daemon.StopAsync()).IsSuccess);
        Assert.Contains(named, await daemon.ReadLogAsync(), StringComparison.Ordinal);
        Assert.Contains(pool, await File.ReadAllTextAsync(path), StringComparison.Ordinal);
    }
}
