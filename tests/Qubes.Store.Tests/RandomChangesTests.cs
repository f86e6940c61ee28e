using System.Text;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Store.Tests;

/// <summary>Many changes of every kind: the files never drift from the model.</summary>
public sealed class RandomChangesTests
{
    private const int Changes = 20_000;
    private const int Together = 40;

    [Fact]
    public async Task After_twenty_thousand_changes_the_file_is_what_a_fresh_writing_gives()
    {
        using TemporaryDirectory directory = new();
        using (StreamWriter writer = File.CreateText(directory["qubes.xml"]))
        {
            await writer.WriteAsync(StoreText.Store(
                [StoreText.Dom0, StoreText.Fedora, .. Enumerable.Range(2, 30).Select(i => StoreText.AppVM($"qube{i}", i))]));
        }

        Random random = new(20_000);
        await using RunningStore running = await RunningStore.LoadAsync(
            directory, RunningStore.OptionsIn(directory) with { JournalSize = 1 << 20, FileDelay = TimeSpan.FromMilliseconds(50) });
        for (int done = 0; done < Changes; done += Together)
        {
            await Task.WhenAll(Enumerable.Range(0, Together).Select(_ => running.ChangeAsync("random", app => Change(app, random))));
            if (done % 4000 == 0)
            {
                await using RunningStore crashed = await running.LoadAsAfterCrashAsync();
                Assert.Equal(Text(running), Text(crashed));
            }
        }

        await running.WriteFileAsync();
        string file = await File.ReadAllTextAsync(directory["qubes.xml"]);
        Assert.Equal(Text(running), file);
        Assert.Equal(file, new LoadedStore(file).Written);
    }

    // Whoever asks for it gets what a save of everything would write, made from the model alone.
    private static string Text(RunningStore running) =>
        Encoding.UTF8.GetString(new Format.StoreSerializer(running.App, new Format.PreservedEntries()).Build(running.App.Changes.Revision));

    private static void Change(QubesApp app, Random random)
    {
        Qube[] qubes = [.. app.Domains.Where(qube => qube is QubesVM)];
        Qube qube = qubes[random.Next(qubes.Length)];
        string key = $"k{random.Next(6)}";
        switch (random.Next(20))
        {
            case < 8:
                qube.Property("memory").SetInput(qube, $"{random.Next(300, 4000)}");
                break;
            case < 11:
                qube.Features.Set(key, $"<&\"\r\n{random.Next()}");
                break;
            case < 13:
                if (qube.Features.All.Any(f => f.Key == key))
                {
                    qube.Features.Remove(key);
                }

                break;
            case < 15:
                if (!qube.Tags.Contains(key))
                {
                    qube.Tags.Add(TagName.Parse(key));
                }

                break;
            case < 16:
                app.Property("stats_interval").SetInput(app, $"{random.Next(1, 99)}");
                break;
            case < 17:
                qube.Property("label").SetInput(qube, random.Next(2) == 0 ? "red" : "black");
                break;
            case < 18 when qube is { Class.HasTemplate: true }:
                app.Domains.Remove(qube);
                break;
            default:
                if (!app.Domains.TryGet($"new{random.Next(20)}", out _))
                {
                    Create(app, $"new{random.Next(20)}");
                }

                break;
        }
    }

    private static void Create(QubesApp app, string name)
    {
        try
        {
            app.Domains.Create(new NewQube { Class = QubeClasses.AppVM, Name = QubeName.Parse(name), Label = app.Labels.Find("red") });
        }
        catch (QubesException)
        {
            // The name is taken.
        }
    }
}
