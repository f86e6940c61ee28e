using System.Text;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Labels;
using Qubes.Model.Properties;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Store.Tests;

/// <summary>Many changes of every kind: the files never drift from the model.</summary>
public sealed class RandomChangesTests
{
    private const int Changes = 20_000;
    private const int Together = 40;

    private static readonly Action<QubesApp, QubesVM, Random>[] Kinds =
    [
        SetProperty, SetProperty, SetProperty, SetProperty, ResetProperty, ChangeFeature, ChangeFeature, ChangeTag, ChangeDevice, ChangeLabel, ChangePool,
        ChangeVolume, ChangeQubes, TakeBack,
    ];

    [Fact]
    public async Task After_twenty_thousand_changes_the_file_is_what_a_fresh_writing_gives()
    {
        using TemporaryDirectory directory = new();
        using (StreamWriter writer = File.CreateText(directory["qubes.xml"]))
        {
            await writer.WriteAsync(StoreText.Store(
                [StoreText.Dom0, StoreText.Fedora, .. Enumerable.Range(2, 30).Select(i => StoreText.AppVM($"qube{i}", i, rest: "<later by=\"x\"/>"))]));
        }

        Random random = new(20_000);
        int[] made = new int[Kinds.Length];
        await using RunningStore running = await RunningStore.LoadAsync(
            directory, RunningStore.OptionsIn(directory) with { JournalSize = 1 << 20, FileDelay = TimeSpan.FromMilliseconds(50) });
        for (int done = 0; done < Changes; done += Together)
        {
            await Task.WhenAll(Enumerable.Range(0, Together).Select(_ => running.ChangeAsync("random", app => Change(app, random, made))));
            if (done % 4000 == 0)
            {
                await using RunningStore crashed = await running.LoadAsAfterCrashAsync();
                Assert.Equal(Text(running), Text(crashed));
            }
        }

        await running.WriteFileAsync();
        string file = await File.ReadAllTextAsync(directory["qubes.xml"]);
        Assert.Equal(Text(running), file);
        LoadedStore loaded = new(file);
        Assert.Empty(loaded.App.Problems);
        Assert.Equal(file, loaded.Written);

        // No kind was refused all the time.
        Assert.All(made, count => Assert.True(count > Changes / Kinds.Length / 10));
    }

    // Whoever asks for it gets what a save of everything would write, made from the model alone.
    private static string Text(RunningStore running) =>
        Encoding.UTF8.GetString(new Format.StoreSerializer(running.App, new Format.PreservedEntries()).Build(running.App.Changes.Revision));

    private static void Change(QubesApp app, Random random, int[] done)
    {
        int kind = random.Next(Kinds.Length);
        try
        {
            Kinds[kind](app, Any(app, random), random);
            done[kind]++;
        }
        catch (QubesException)
        {
            // What the system refuses is as good a change as any: it must leave nothing.
        }
    }

    private static QubesVM Any(QubesApp app, Random random)
    {
        QubesVM[] qubes = [.. app.Domains.OfType<QubesVM>()];
        return qubes[random.Next(qubes.Length)];
    }

    private static void SetProperty(QubesApp app, QubesVM qube, Random random)
    {
        PropertyHolder holder = random.Next(8) == 0 ? app : qube;
        (string name, string value) = holder is QubesApp
            ? ("stats_interval", $"{random.Next(1, 99)}")
            : random.Next(8) switch
            {
                0 or 1 or 2 => ("memory", $"{random.Next(300, 4000)}"),
                3 => ("kernelopts", $"a=\"{random.Next(9)}\" <&>\r\n\t'"),
                4 => ("label", app.Labels.All.ElementAt(random.Next(app.Labels.Count)).Name),
                5 => ("netvm", $"qube{random.Next(2, 32)}"),
                6 => ("provides_network", random.Next(2) == 0 ? "True" : "False"),
                _ => ("guivm", random.Next(2) == 0 ? "dom0" : qube.Name),
            };
        holder.Property(name).SetInput(holder, value);
    }

    private static void ResetProperty(QubesApp app, QubesVM qube, Random random)
    {
        PropertyDefinition[] set = [.. qube.Properties.InListOrder.Where(p => p.IsExplicit(qube))];
        set[random.Next(set.Length)].Reset(qube);
    }

    private static void ChangeFeature(QubesApp app, QubesVM qube, Random random)
    {
        Qube holder = random.Next(10) == 0 ? app.Domains.AdminVM : qube;
        string key = $"k{random.Next(6)}";
        if (random.Next(3) == 0)
        {
            holder.Features.Remove(key);
        }
        else
        {
            holder.Features.Set(key, random.Next(5) == 0 ? "" : $"<&\"\r\n{random.Next()}");
        }
    }

    private static void ChangeTag(QubesApp app, QubesVM qube, Random random)
    {
        TagName tag = TagName.Parse($"t{random.Next(6)}");
        if (random.Next(3) == 0)
        {
            qube.Tags.Remove(tag);
        }
        else
        {
            qube.Tags.Add(tag);
        }
    }

    private static void ChangeDevice(QubesApp app, QubesVM qube, Random random)
    {
        DeviceAssignment[] there = [.. qube.Devices.All];
        DeviceAssignment one = new()
        {
            DeviceClass = random.Next(2) == 0 ? "block" : "unheard-of",
            Backend = random.Next(4) == 0 ? "*" : "dom0",
            Port = $"sd{random.Next(5)}",
            DeviceId = random.Next(2) == 0 ? "*" : "a:b::c<&\"",
            Mode = "required",
            Options = random.Next(2) == 0 ? [] : [new("read-only", "True"), new("x", "\r\n<")],
        };
        DeviceAssignment? same = Array.Find(there, one.IsSameDevice);
        if (same is null)
        {
            qube.Devices.Add(one);
        }
        else if (random.Next(2) == 0)
        {
            qube.Devices.Remove(same);
        }
        else
        {
            qube.Devices.Replace(same, same with { Mode = "auto-attach" });
        }
    }

    private static void ChangeLabel(QubesApp app, QubesVM qube, Random random)
    {
        LabelName name = LabelName.Parse($"label{random.Next(4)}", forCreation: true);
        if (app.Labels.TryFind(name, out Label? label))
        {
            app.Labels.Remove(label);
        }
        else
        {
            app.Labels.Create(name, LabelColor.Parse(Encoding.ASCII.GetBytes($"0x{random.Next(1 << 24):x6}")));
        }
    }

    private static void ChangePool(QubesApp app, QubesVM qube, Random random)
    {
        string name = $"pool{random.Next(4)}";
        if (!app.Pools.TryGet(name, out PoolConfig? pool))
        {
            app.Pools.Set(new PoolConfig { Name = name, Driver = "file", Options = [new("dir_path", $"/p<{random.Next(9)}"), new("revisions_to_keep", "1")] });
        }
        else if (random.Next(2) == 0)
        {
            app.Pools.Set(pool.With("revisions_to_keep", $"{random.Next(9)}"));
        }
        else
        {
            app.Pools.Remove(pool);
        }
    }

    private static void ChangeVolume(QubesApp app, QubesVM qube, Random random)
    {
        VolumeConfig volume = qube.Volumes.All[random.Next(qube.Volumes.All.Count)];
        switch (random.Next(5))
        {
            case 0:
                qube.Volumes.Set(volume with { Size = random.NextInt64(1L << 50), RevisionsToKeep = random.Next(-1, 5) });
                break;
            case 1:
                qube.Volumes.Set(volume with { Pool = "varlibqubes", Vid = $"appvms/{qube.Name}/{random.Next()}", Ephemeral = random.Next(2) == 0 });
                break;
            case 2:
                qube.Volumes.Set(volume with { Extra = [new("driver_s", "own <&\">\n")] });
                break;
            case 3:
                qube.Volumes.Set(new VolumeConfig { Name = $"more{random.Next(3)}", Rw = true });
                break;
            default:
                qube.Volumes.Remove($"more{random.Next(3)}");
                break;
        }
    }

    private static void ChangeQubes(QubesApp app, QubesVM qube, Random random)
    {
        // The template of new qubes stays.
        if (random.Next(3) == 0 && qube.Name.Value != "fedora")
        {
            app.Domains.Remove(qube);
            return;
        }

        app.Domains.Create(new NewQube
        {
            Class = random.Next(6) switch { 0 => QubeClasses.StandaloneVM, 1 => QubeClasses.TemplateVM, 2 => QubeClasses.RemoteVM, _ => QubeClasses.AppVM },
            Name = QubeName.Parse($"new{random.Next(20)}"),
            Label = app.Labels.Find("red"),
        });
    }

    // Several at once, and nothing of it stays.
    private static void TakeBack(QubesApp app, QubesVM qube, Random random)
    {
        using ModelChange change = app.Changes.Begin(new ChangeOrigin("dom0", "taken back", default));
        for (int i = 0; i < 4; i++)
        {
            Kinds[random.Next(Kinds.Length - 1)](app, Any(app, random), random);
        }

        change.Rollback();
    }
}
