namespace Qubes.Daemon.Tests.Crash;

/// <summary>kill -9 while several callers work: what one call saves must not carry along half of what another is still doing.</summary>
public sealed class CrashUnderLoadTests
{
    private const int Callers = 4;

    [Fact]
    public async Task Whatever_was_under_way_is_whole_or_gone()
    {
        int rounds = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("QUBES_TEST_LONG")) ? 10 : 100;
        int seed = Environment.TickCount;
        Random random = new(seed);
        using ScratchRoot root = new();
        LoadedCaller[] callers = [.. Enumerable.Range(0, Callers).Select(i => new LoadedCaller($"q{(char)('a' + i)}", seed + i))];
        QubesdProcess daemon = await QubesdProcess.StartAsync(root);
        await daemon.CallAsync("admin.vm.Create.TemplateVM", payload: $"name={DaemonCrashScenario.Template} label=black");
        await daemon.CallAsync("admin.property.Set", argument: "default_kernel");
        for (int round = 0; round < rounds; round++)
        {
            TaskCompletionSource enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
            int left = random.Next(5, 200);
            Task work = Task.WhenAll(callers.Select(caller => caller.RunAsync(daemon, () =>
            {
                if (Interlocked.Decrement(ref left) == 0)
                {
                    enough.SetResult();
                }
            })));
            await Task.WhenAny(work, enough.Task);
            await daemon.KillAsync();
            await work;
            daemon = await QubesdProcess.StartAsync(root);
            try
            {
                IReadOnlyList<string> listed = await DaemonCrashScenario.ListAsync(daemon);
                AssertWhole(root, listed);
                foreach (LoadedCaller caller in callers)
                {
                    await caller.CheckAsync(daemon, listed);
                }
            }
            catch (Exception e)
            {
                await daemon.KillAsync();
                throw new InvalidOperationException($"Seed {seed}, round {round}:\n{await daemon.ReadLogAsync()}", e);
            }
        }

        Assert.True((await daemon.StopAsync()).IsSuccess);
        Assert.Contains(callers, caller => caller.Qubes.Count > 0);
    }

    private static void AssertWhole(ScratchRoot root, IReadOnlyList<string> listed)
    {
        string[] directories = [.. Directory.EnumerateDirectories(root.Paths.AppVmsDirectory).Select(path => Path.GetFileName(path)!)];
        Assert.Equal(listed.Except(["dom0", DaemonCrashScenario.Template]).Order(StringComparer.Ordinal), directories.Order(StringComparer.Ordinal));
        Assert.All(directories, name => Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(root.Paths.AppVmsDirectory, name), "private.*")));
    }
}
