namespace Qubes.Daemon.Tests.Crash;

/// <summary>
/// kill -9 of the real daemon at every fault point of a call, right after its answer, and in one scenario also from its start to its
/// end. After a restart every acknowledged change is there, no file belongs to nothing, and the qube can be started and removed.
/// </summary>
public sealed class DaemonCrashTests(PreparedState state) : IClassFixture<PreparedState>
{
    private const int MostFaultPoints = 300;

    public static TheoryData<string> Scenarios => [.. DaemonCrashScenario.All.Select(scenario => scenario.Name)];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task A_daemon_killed_anywhere_loses_nothing_and_leaks_nothing(string name)
    {
        DaemonCrashScenario scenario = DaemonCrashScenario.Find(name);
        int killed = 0;
        for (int hit = scenario.CoversWholeLife ? 1 : state.StartUpPoints + 1; ; hit++)
        {
            Assert.True(hit < MostFaultPoints);
            await state.RestoreAsync();
            (bool wasKilled, bool acknowledged) = await InterruptAsync(scenario, hit);
            await using QubesdProcess daemon = await QubesdProcess.StartAsync(state.Root);
            try
            {
                await scenario.Check(daemon, acknowledged);
                AssertNothingLeaked(await DaemonCrashScenario.ListAsync(daemon));
                await DaemonCrashScenario.RunOnceAsync(daemon, DaemonCrashScenario.Qube);
                await daemon.CallAsync("admin.vm.Remove", DaemonCrashScenario.Qube);
                AssertNothingLeaked(await DaemonCrashScenario.ListAsync(daemon));
            }
            catch (Exception e)
            {
                await daemon.KillAsync();
                throw new InvalidOperationException($"After a kill at fault point {hit} of '{name}':\n{await daemon.ReadLogAsync()}", e);
            }

            if (!wasKilled)
            {
                Assert.True(killed > 0, "No fault point was passed.");
                return;
            }

            killed++;
        }
    }

    /// <summary>Runs the daemon through the call, or to its death at the fault point.</summary>
    private async Task<(bool WasKilled, bool Acknowledged)> InterruptAsync(DaemonCrashScenario scenario, int hit)
    {
        QubesdProcess? daemon = await QubesdProcess.TryStartAsync(state.Root, $"*:{hit}", out _);
        if (daemon is null)
        {
            return (true, false);
        }

        await using (daemon)
        {
            AdminAnswer? answer = await scenario.Call(daemon);
            Assert.True(answer is null or { IsSuccess: true }, answer?.ToString());
            if (answer is not null && !scenario.CoversWholeLife)
            {
                await daemon.KillAsync();
                return (false, true);
            }

            Linux.ProcessExit exit = await daemon.StopAsync();
            Assert.True(exit is { IsSignal: true, Code: Linux.ChildProcess.SIGKILL } || exit.IsSuccess, exit.ToString());
            return (exit.IsSignal, answer is not null);
        }
    }

    private void AssertNothingLeaked(IReadOnlyList<string> qubes)
    {
        IReadOnlyList<string> entries = state.Root.StateEntries();
        Assert.DoesNotContain(entries, entry =>
            entry.Contains('~', StringComparison.Ordinal)
            || entry.EndsWith(".tmp", StringComparison.Ordinal)
            || entry.Contains(".new-", StringComparison.Ordinal)
            || (entry.StartsWith(".file-commits/", StringComparison.Ordinal) && !entry.EndsWith('/'))
            || (entry.StartsWith(".intents/", StringComparison.Ordinal) && !entry.EndsWith('/'))
            || (entry.StartsWith(".qube-intents/", StringComparison.Ordinal) && !entry.EndsWith('/')));
        IEnumerable<string> directories = entries
            .Where(entry => entry.StartsWith("appvms/", StringComparison.Ordinal) || entry.StartsWith("vm-templates/", StringComparison.Ordinal))
            .Select(entry => entry.Split('/')[1])
            .Where(name => name.Length > 0)
            .Distinct(StringComparer.Ordinal);
        Assert.Empty(directories.Except(qubes));
    }
}
