using System.Text.Json;

namespace Qubes.Daemon.Tests.Crash;

/// <summary>A state directory without room.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task A_full_disk_fails_the_change_and_nothing_else()
    {
        int taken = 0;
        using ScratchRoot root = new();
        Directory.CreateDirectory(root.Paths.StateDirectory);
        await using TemporaryMount mount = await TemporaryMount.CreateAsync(root.Paths.StateDirectory, "tmpfs", "size=8m");
        await using (QubesdProcess daemon = await QubesdProcess.StartAsync(root))
        {
            await daemon.CallAsync("admin.vm.Create.TemplateVM", payload: "name=tpl label=black");
            await daemon.CallAsync("admin.vm.feature.Set", "tpl", "x", "before");
            string filler = Path.Combine(root.Paths.StateDirectory, "filler");
            Fill(filler);

            // The journal has its place on the disk and takes changes, until it is full of them: the file cannot follow.
            await daemon.CallAsync("admin.vm.feature.Set", "tpl", "x", "during");
            AdminAnswer? refused = null;
            string large = new('x', 30_000);
            for (; refused is null && taken < 1000; taken++)
            {
                AdminAnswer? answer = await daemon.TryCallAsync("admin.vm.feature.Set", "tpl", "x", $"{taken} {large}");
                refused = answer is { IsSuccess: true } ? null : answer;
            }

            Assert.Contains("Cannot save qubes.xml, nothing was changed", refused?.ToString(), StringComparison.Ordinal);
            Assert.Equal($"{taken - 2} {large}", await daemon.CallAsync("admin.vm.feature.Get", "tpl", "x"));
            AdminAnswer? uncreated = await daemon.TryCallAsync("admin.vm.Create.AppVM", "dom0", "tpl", "name=fresh label=red");
            Assert.True(uncreated is { IsSuccess: false }, uncreated?.ToString() ?? "no answer");
            Assert.DoesNotContain("fresh", await DaemonCrashScenario.ListAsync(daemon));

            File.Delete(filler);
            await daemon.CallAsync("admin.vm.feature.Set", "tpl", "x", "after");
            await daemon.CallAsync("admin.vm.Create.AppVM", "dom0", "tpl", "name=fresh label=red");
            await daemon.KillAsync();
        }

        await using QubesdProcess again = await QubesdProcess.StartAsync(root);
        Assert.Equal("after", await again.CallAsync("admin.vm.feature.Get", "tpl", "x"));
        Assert.Contains("fresh", await DaemonCrashScenario.ListAsync(again));
        Assert.True((await again.StopAsync()).IsSuccess);

        // What did not fit into the history left no half line, and was added when there was room.
        string[] history = await File.ReadAllLinesAsync(Path.Combine(root.Paths.StateDirectory, "history", "changes.jsonl"));
        Assert.All(history, line => JsonDocument.Parse(line).Dispose());
        Assert.Contains(history, line => line.Contains("\"after\":\"after\"", StringComparison.Ordinal));
        Assert.Contains(history, line => line.Contains($"\"after\":\"{taken - 2} xx", StringComparison.Ordinal));
    }

    private static void Fill(string path)
    {
        using FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        byte[] page = new byte[4096];
        try
        {
            while (true)
            {
                file.Write(page);
            }
        }
        catch (IOException)
        {
            // Full, as wanted.
        }
    }
}
