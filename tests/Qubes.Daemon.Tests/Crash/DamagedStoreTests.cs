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
    [InlineData("<property name=\"label\" ref=\"label-1\" />", "<property name=\"label\" ref=\"label-99\" />")]
    [InlineData("<property name=\"label\" ref=\"label-1\"/>", "<property name=\"label\" ref=\"label-99\"/>")]
    public async Task A_bad_qube_is_set_aside_kept_and_its_data_stays(string good, string bad)
    {
        await state.RestoreAsync();
        string path = state.Root.Paths.StoreFile;
        string store = await File.ReadAllTextAsync(path);
        int at = store.IndexOf("class=\"AppVM\"", StringComparison.Ordinal);
        int where = store.IndexOf(good, at, StringComparison.Ordinal);
        if (where < 0)
        {
            // The two spellings of an empty element: one of them is what the store writes.
            Assert.StartsWith("<property", good, StringComparison.Ordinal);
            return;
        }

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
}
