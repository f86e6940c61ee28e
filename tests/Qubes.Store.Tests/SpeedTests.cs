using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Host;

namespace Qubes.Store.Tests;

/// <summary>Limits far above what is measured, which still catch work that grows with the number of qubes where it must not.</summary>
public sealed class SpeedTests(ITestOutputHelper output)
{
    private const int Qubes = 1000;

    private static readonly string Large = StoreText.Store(
        [StoreText.Dom0, StoreText.Fedora, .. Enumerable.Range(2, Qubes - 2).Select(i => StoreText.AppVM($"qube{i}", i, rest:
            """
            <features><feature name="gui">1</feature></features><tags><tag name="created-by-dom0"/></tags>
            <volume-config><volume name="private" pool="varlibqubes" vid="x" rw="True" save_on_stop="True" snap_on_start="False" size="5"/></volume-config>
            """))]);

    [Fact]
    public void A_thousand_qubes_load_and_are_written_within_two_seconds()
    {
        byte[] text = Encoding.UTF8.GetBytes(Large);
        QubesStore.Rewrite(new QubesApp(new FixedHostFacts()), text, NullLogger.Instance);
        Stopwatch watch = Stopwatch.StartNew();
        QubesApp app = new(new FixedHostFacts());
        QubesStore.Rewrite(app, text, NullLogger.Instance);
        output.WriteLine($"load and write: {watch.ElapsedMilliseconds} ms, {text.Length} bytes");
        Assert.Equal(Qubes, app.Domains.Count);
        Assert.InRange(watch.ElapsedMilliseconds, 0, 2000);
    }

    [Fact]
    public async Task Durable_changes_of_one_among_a_thousand_qubes_stay_cheap()
    {
        using TemporaryDirectory directory = new();
        using (StreamWriter writer = File.CreateText(directory["qubes.xml"]))
        {
            await writer.WriteAsync(Large);
        }

        await using RunningStore running = await RunningStore.LoadAsync(directory);
        await running.SetAsync("qube5", "memory", "300");
        Stopwatch watch = Stopwatch.StartNew();
        for (int i = 0; i < 50; i++)
        {
            await running.SetAsync("qube5", "memory", $"{400 + i}");
        }

        double single = watch.Elapsed.TotalMilliseconds / 50;
        watch.Restart();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async client =>
        {
            for (int i = 0; i < 50; i++)
            {
                await running.SetAsync($"qube{client + 10}", "memory", $"{400 + i}");
            }
        }));
        double rate = 16 * 50 / watch.Elapsed.TotalSeconds;
        byte[] content = await File.ReadAllBytesAsync(directory["qubes.xml"]);
        watch.Restart();
        for (int i = 0; i < 20; i++)
        {
            AtomicFile.Write(directory["probe"], content, UnixFileMode.UserRead);
        }

        double disk = watch.Elapsed.TotalMilliseconds / 20;
        output.WriteLine($"one client {single:f2} ms a change; 16 clients {rate:f0} changes/s; the disk alone {disk:f2} ms a file");
        Assert.InRange(single, 0, (disk * 4) + 50);
    }
}
