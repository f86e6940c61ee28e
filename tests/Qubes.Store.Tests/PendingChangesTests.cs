using System.Globalization;
using System.Text;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Volumes;
using Qubes.Protocol.Names;
using Qubes.Store.Format;

namespace Qubes.Store.Tests;

/// <summary>Changes that wait for somebody before they commit: what others save meanwhile has nothing of them.</summary>
public sealed class PendingChangesTests
{
    private const string Volume = """
              <volume-config>
                <volume name="private" pool="varlibqubes" vid="appvms/work/private" revisions_to_keep="1" rw="True" save_on_stop="True" snap_on_start="False" size="2147483648"/>
              </volume-config>
        """;

    private static readonly DeviceAssignment Disk = new() { DeviceClass = "block", Backend = "dom0", Port = "sda", DeviceId = "*", Mode = "auto-attach" };
    private static readonly PoolConfig Pool = new() { Name = "more", Driver = "file", Options = [new("dir_path", "/more"), new("revisions_to_keep", "1")] };

    private static readonly Dictionary<string, (Action<QubesApp> Prepare, Action<QubesApp> Change)> Kinds = new(StringComparer.Ordinal)
    {
        ["device added"] = (_ => { }, app => Work(app).Devices.Add(Disk)),
        ["device removed"] = (app => Work(app).Devices.Add(Disk), app => Work(app).Devices.Remove(Work(app).Devices.All[0])),
        ["device replaced"] = (app => Work(app).Devices.Add(Disk), app => Work(app).Devices.Replace(Work(app).Devices.All[0], Disk with { Mode = "required" })),
        ["feature added"] = (_ => { }, app => Work(app).Features.Set("f", "1")),
        ["feature set"] = (app => Work(app).Features.Set("f", "1"), app => Work(app).Features.Set("f", "2")),
        ["feature removed"] = (app => Work(app).Features.Set("f", "1"), app => Work(app).Features.Remove("f")),
        ["tag added"] = (_ => { }, app => Work(app).Tags.Add(TagName.Parse("t"))),
        ["tag removed"] = (app => Work(app).Tags.Add(TagName.Parse("t")), app => Work(app).Tags.Remove(TagName.Parse("t"))),
        ["property added"] = (_ => { }, app => Work(app).Property("memory").SetInput(Work(app), "500")),
        ["property set"] = (app => Work(app).Property("memory").SetInput(Work(app), "500"), app => Work(app).Property("memory").SetInput(Work(app), "600")),
        ["property reset"] = (app => Work(app).Property("memory").SetInput(Work(app), "500"), app => Work(app).Property("memory").Reset(Work(app))),
        ["property cloned"] = (app => app.Domains["fedora"].Property("memory").SetInput(app.Domains["fedora"], "500"),
            app => Work(app).CloneProperties(app.Domains["fedora"], [Work(app).Property("memory")])),
        ["global property"] = (_ => { }, app => app.Property("stats_interval").SetInput(app, "7")),
        ["volume added"] = (_ => { }, app => Work(app).Volumes.Set(new VolumeConfig { Name = "more", Rw = true })),
        ["volume field"] = (_ => { }, app => Work(app).Volumes.Set(Work(app).Volumes.All[0] with { Size = 4096 })),
        ["volume removed"] = (app => Work(app).Volumes.Set(new VolumeConfig { Name = "more", Rw = true }), app => Work(app).Volumes.Remove("more")),
        ["pool added"] = (_ => { }, app => app.Pools.Set(Pool)),
        ["pool option"] = (app => app.Pools.Set(Pool), app => app.Pools.Set(Pool.With("revisions_to_keep", "9"))),
        ["pool removed"] = (app => app.Pools.Set(Pool), app => app.Pools.Remove(Pool)),
        ["label added"] = (_ => { }, app => app.Labels.Create(LabelName.Parse("pink", forCreation: true), LabelColor.Parse("0xff00ff"u8))),
        ["label removed"] = (app => app.Labels.Create(LabelName.Parse("pink", forCreation: true), LabelColor.Parse("0xff00ff"u8)),
            app => app.Labels.Remove(app.Labels.Find("pink"))),
    };

    public static TheoryData<string> KindNames => [.. Kinds.Keys];

    [Theory]
    [MemberData(nameof(KindNames))]
    public async Task What_waits_is_saved_by_its_own_commit_only(string kind)
    {
        using TemporaryDirectory directory = Write();
        await using RunningStore running = await RunningStore.LoadAsync(directory);
        await running.ChangeAsync("prepare", Kinds[kind].Prepare);
        string before = await DiskAsync(running);
        TaskCompletionSource<bool> answer = new();
        Task waiting = BeginAsync(running, Kinds[kind].Change, answer.Task);
        string during = await running.Loop.InvokeAsync(() => Everything(running.App));
        Assert.NotEqual(before, during);

        // Twice: to the file itself, and to the journal.
        for (int i = 0; i < 2; i++)
        {
            await TouchAsync(running);
            Assert.Equal(before, await DiskAsync(running));
            Assert.Equal(during, await running.Loop.InvokeAsync(() => Everything(running.App)));
        }

        answer.SetResult(true);
        await waiting;
        Assert.Equal(during, await DiskAsync(running));
    }

    [Theory]
    [MemberData(nameof(KindNames))]
    public async Task What_is_refused_in_the_end_was_never_saved(string kind)
    {
        using TemporaryDirectory directory = Write();
        await using RunningStore running = await RunningStore.LoadAsync(directory);
        await running.ChangeAsync("prepare", Kinds[kind].Prepare);
        string before = await DiskAsync(running);
        TaskCompletionSource<bool> answer = new();
        Task waiting = BeginAsync(running, Kinds[kind].Change, answer.Task);
        await TouchAsync(running);
        answer.SetResult(false);
        await waiting;
        Assert.Equal(before, await running.Loop.InvokeAsync(() => Everything(running.App)));
        await TouchAsync(running);
        Assert.Equal(before, await DiskAsync(running));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_committed_over_it_stays_whatever_becomes_of_it(bool isCommitted)
    {
        using TemporaryDirectory directory = Write();
        await using RunningStore running = await RunningStore.LoadAsync(directory);
        await running.ChangeAsync("prepare", app =>
        {
            Work(app).Devices.Add(Disk);
            Work(app).Features.Set("gone", "1");
            Work(app).Tags.Add(TagName.Parse("gone"));
        });
        TaskCompletionSource<bool> answer = new();
        Task waiting = BeginAsync(
            running,
            app =>
            {
                Work(app).Property("memory").SetInput(Work(app), "500");
                Work(app).Features.Set("f", "theirs");
                Work(app).Features.Remove("gone");
                Work(app).Tags.Remove(TagName.Parse("gone"));
                Work(app).Devices.Replace(Disk, Disk with { Mode = "required" });
                Work(app).Volumes.Set(Work(app).Volumes.All[0] with { Size = 4096 });
                app.Pools.Set(app.Pools.All[0].With("revisions_to_keep", "8"));
            },
            answer.Task);
        await running.ChangeAsync("over it", app =>
        {
            Work(app).Property("memory").SetInput(Work(app), "600");
            Work(app).Features.Set("f", "ours");
            Work(app).Features.Set("gone", "2");
            Work(app).Tags.Add(TagName.Parse("gone"));
            Work(app).Devices.Remove(Work(app).Devices.All[0]);
            Work(app).Volumes.Set(Work(app).Volumes.All[0] with { Size = 8192 });
            app.Pools.Set(app.Pools.All[0].With("revisions_to_keep", "9"));
        });
        string over = await running.Loop.InvokeAsync(() => Everything(running.App));
        Assert.Equal(over, await DiskAsync(running));
        answer.SetResult(isCommitted);
        await waiting;
        Assert.Equal(over, await running.Loop.InvokeAsync(() => Everything(running.App)));
        await TouchAsync(running);
        Assert.Equal(over, await DiskAsync(running));
    }

    [Fact]
    public async Task Of_any_that_wait_the_disk_has_what_is_committed()
    {
        using TemporaryDirectory directory = Write();
        await using RunningStore running = await RunningStore.LoadAsync(directory);
        Random random = new(1);
        SortedDictionary<string, string> expected = new(StringComparer.Ordinal);
        List<(int Number, TaskCompletionSource<bool> Answer, Task End)> waiting = [];
        for (int number = 0; number < 400; number++)
        {
            int kind = random.Next(4);
            if (kind == 0 && waiting.Count < 6)
            {
                int own = number;
                TaskCompletionSource<bool> answer = new();
                waiting.Add((own, answer, BeginAsync(running, app => Own(app, own), answer.Task)));
            }
            else if (kind == 1 && waiting.Count > 0)
            {
                int at = random.Next(waiting.Count);
                (int own, TaskCompletionSource<bool> answer, Task end) = waiting[at];
                waiting.RemoveAt(at);
                bool isCommitted = random.Next(2) == 0;
                answer.SetResult(isCommitted);
                await end;
                if (isCommitted)
                {
                    expected[$"own{own}"] = "1";
                }
            }
            else
            {
                string key = $"k{random.Next(5)}";
                string value = number.ToString(CultureInfo.InvariantCulture);
                await running.ChangeAsync("set", app => Work(app).Features.Set(key, value));
                expected[key] = value;
            }

            if (number % 20 == 0)
            {
                await using RunningStore crashed = await running.LoadAsAfterCrashAsync();
                Qube work = Work(crashed.App);
                Assert.Equal(expected, new SortedDictionary<string, string>(work.Features.All.ToDictionary(), StringComparer.Ordinal));
                Assert.Equal(expected.Keys.Where(key => key.StartsWith("own", StringComparison.Ordinal)), work.Tags.All);
            }
        }

        foreach ((_, TaskCompletionSource<bool> answer, Task end) in waiting)
        {
            answer.SetResult(false);
            await end;
        }

        static void Own(QubesApp app, int number)
        {
            Work(app).Features.Set($"own{number}", "1");
            Work(app).Tags.Add(TagName.Parse($"own{number}"));
        }
    }

    private static QubesVM Work(QubesApp app) => (QubesVM)app.Domains["work"];

    private static TemporaryDirectory Write()
    {
        TemporaryDirectory directory = new();
        using StreamWriter writer = File.CreateText(directory["qubes.xml"]);
        writer.Write(StoreText.Store(StoreText.Dom0, StoreText.Fedora, StoreText.AppVM("work", 2, rest: Volume), StoreText.AppVM("other", 3)));
        return directory;
    }

    /// <summary>Mutates, waits for the answer, and commits or not, as a handler does whose event has to be agreed to.</summary>
    private static Task BeginAsync(RunningStore running, Action<QubesApp> mutate, Task<bool> answer) => running.Loop.InvokeAsync(async () =>
    {
        using ModelChange change = running.App.Changes.Begin(new ChangeOrigin("dom0", "waits", DateTimeOffset.UnixEpoch));
        mutate(running.App);
        if (await answer)
        {
            await running.Store.CommitAsync(change);
        }
    });

    /// <summary>Another change of the same qube, of another and of the application; nothing of it is left but that they were all saved.</summary>
    private static async Task TouchAsync(RunningStore running)
    {
        foreach (string value in (string[])["a", "b"])
        {
            await running.ChangeAsync("touch", app =>
            {
                foreach (Qube qube in (Qube[])[app.Domains["work"], app.Domains["other"]])
                {
                    qube.Features.Set("touched", value);
                    if (value == "b")
                    {
                        qube.Features.Remove("touched");
                    }
                }

                app.Property("default_kernel").SetInput(app, value);
                app.Property("default_kernel").Reset(app);
            });
        }
    }

    private static async Task<string> DiskAsync(RunningStore running)
    {
        await using RunningStore crashed = await running.LoadAsAfterCrashAsync();
        return await crashed.Loop.InvokeAsync(() => Everything(crashed.App));
    }

    /// <summary>All the model has, in no order of its own.</summary>
    private static string Everything(QubesApp app)
    {
        StringBuilder text = new();
        foreach (Qube qube in app.Domains)
        {
            XmlOutput output = new();
            QubeWriter.Write(qube, output);
            text.Append(Encoding.UTF8.GetString(output.Written.ToArray()));
        }

        text.AppendJoin('\n', app.Pools.All.Select(pool => $"{pool.Name} {string.Join(' ', pool.Options)}")).AppendLine();
        text.AppendJoin('\n', app.Labels.All).AppendLine();
        text.AppendJoin('\n', app.Properties.InListOrder.Where(p => p.IsExplicit(app)).Select(p => p.StoreText(app)));
        return text.ToString();
    }
}
