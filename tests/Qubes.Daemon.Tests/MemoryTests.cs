using System.Globalization;

namespace Qubes.Daemon.Tests;

/// <summary>What many calls at once needed is given back.</summary>
public sealed class MemoryTests
{
    [Fact]
    public async Task Memory_is_given_back_when_it_is_quiet()
    {
        using ScratchRoot root = new();
        await using QubesdProcess daemon = await QubesdProcess.StartAsync(root);
        for (int i = 0; i < 300; i++)
        {
            await daemon.CallAsync("admin.vm.feature.Set", argument: "large", payload: new string((char)('a' + (i % 26)), 60_000));
        }

        // Nobody tells of another process's memory: it has to be looked at.
        using CancellationTokenSource patience = new(QubesdProcess.Patience);
        long most = 0;
        for (long now; (now = PrivateKiB(daemon)) > most * 85 / 100; most = Math.Max(most, now))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), patience.Token);
        }
    }

    private static long PrivateKiB(QubesdProcess daemon)
    {
        string line = File.ReadLines($"/proc/{daemon.Id}/status").First(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan("RssAnon:".Length).TrimEnd("kB").Trim(), CultureInfo.InvariantCulture);
    }
}
