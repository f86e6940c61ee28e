using System.Globalization;
using System.Text.Json;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Testing;

namespace Qubes.Store.Tests;

public sealed class SaveTests
{
    private static readonly string Valid = StoreText.Store(StoreText.Dom0, StoreText.Fedora, StoreText.AppVM("work", 2));

    [Fact]
    public async Task A_new_store_has_labels_pools_and_dom0()
    {
        using TemporaryDirectory directory = new();
        await using (await RunningStore.CreateAsync(directory))
        {
        }

        await using RunningStore again = await RunningStore.LoadAsync(directory);
        Assert.Equal(8, again.App.Labels.Count);
        Assert.Equal("default=False type=label black", await again.ReadAsync("dom0", "label"));
        Assert.Equal("default=False type=str linux-kernel", LoadedStore.Read(again.App, "default_pool_kernel"));
        QubesException error = await Assert.ThrowsAsync<QubesException>(() => RunningStore.CreateAsync(directory));
        Assert.EndsWith("already exists, aborting", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_store_is_named()
    {
        using TemporaryDirectory directory = new();
        QubesException error = await Assert.ThrowsAsync<QubesException>(() => RunningStore.LoadAsync(directory));
        Assert.Equal($"Qubes XML store '{directory["qubes.xml"]}' is missing; use qubes-create tool", error.Message);
    }

    [Fact]
    public async Task A_committed_change_is_in_the_file_with_its_mode()
    {
        using TemporaryDirectory directory = Write(Valid);
        await using RunningStore running = await RunningStore.LoadAsync(directory);
        await running.SetAsync("work", "memory", "555");
        await running.WriteFileAsync();
        string text = await File.ReadAllTextAsync(directory["qubes.xml"]);
        Assert.Contains("""<property name="memory">555</property>""", text, StringComparison.Ordinal);
        Assert.Contains("<!-- revision 1 -->", text, StringComparison.Ordinal);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, File.GetUnixFileMode(directory["qubes.xml"]));
        await using RunningStore again = await running.LoadAsAfterCrashAsync();
        Assert.Equal("default=False type=int 555", await again.ReadAsync("work", "memory"));
        Assert.Equal(1, again.App.Changes.Revision);
    }

    [Fact]
    public async Task Many_changes_at_once_share_few_saves_and_all_arrive()
    {
        using TemporaryDirectory directory = Write(Valid);
        await using RunningStore running = await RunningStore.LoadAsync(directory);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => running.ChangeAsync(
            "admin.vm.feature.Set", app => app.Domains["work"].Features.Set($"f{i}", i.ToString(CultureInfo.InvariantCulture)))));
        await using RunningStore again = await running.LoadAsAfterCrashAsync();
        Assert.Equal(200, again.App.Domains["work"].Features.Count);
        Assert.Equal(200, again.App.Changes.Revision);
    }

    [Fact]
    public async Task Observers_learn_of_a_change_only_when_it_is_durable()
    {
        using TemporaryDirectory directory = Write(Valid);
        await using RunningStore running = await RunningStore.LoadAsync(directory);
        FileObserver observer = new(directory);
        await running.Loop.InvokeAsync(() => running.App.Events.AddObserver(observer));
        await running.SetAsync("work", "memory", "555");
        Assert.Equal([true, true], observer.WasDurable);
    }

    [Fact]
    public async Task A_change_made_by_somebody_else_is_not_overwritten_and_ours_is_taken_back()
    {
        using TemporaryDirectory directory = Write(Valid);
        await using RunningStore running = await RunningStore.LoadAsync(directory);
        await File.WriteAllTextAsync(directory["qubes.xml"], Valid + "<!-- theirs -->");
        QubesException error = await Assert.ThrowsAsync<QubesException>(() => running.SetAsync("work", "memory", "555"));
        Assert.Equal("Someone else modified qubes.xml in the meantime", error.Message);
        Assert.Equal("default=True type=int 400", await running.ReadAsync("work", "memory"));
        Assert.EndsWith("<!-- theirs -->", await File.ReadAllTextAsync(directory["qubes.xml"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_saved_is_taken_back_newest_first()
    {
        using TemporaryDirectory directory = Write(Valid);
        await using RunningStore running = await RunningStore.LoadAsync(directory);
        await running.SetAsync("work", "memory", "111");

        // The directory goes away: no temporary file can be made, whoever we are.
        Directory.Move(directory.Path, directory.Path + ".gone");
        Task[] changes =
        [
            running.SetAsync("work", "memory", "222"),
            running.SetAsync("work", "memory", "333"),
            running.ChangeAsync("admin.vm.tag.Set", app => app.Domains["work"].Tags.Add(TagName.Parse("x"))),
        ];
        foreach (Task change in changes)
        {
            QubesException error = await Assert.ThrowsAsync<QubesException>(() => change);
            Assert.Equal("QubesException", error.WireName);
        }

        Directory.Move(directory.Path + ".gone", directory.Path);
        Assert.Equal("default=False type=int 111", await running.ReadAsync("work", "memory"));
        Assert.False(running.App.Domains["work"].Tags.Contains("x"));
        await running.SetAsync("work", "memory", "444");
        await using RunningStore again = await running.LoadAsAfterCrashAsync();
        Assert.Equal("default=False type=int 444", await again.ReadAsync("work", "memory"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<qubes><labels>")]
    [InlineData("<html></html>")]
    [InlineData("\0\0\0\0")]
    public async Task A_damaged_store_gives_way_to_the_last_good_one_and_is_kept(string damage)
    {
        using TemporaryDirectory directory = Write(Valid);
        await using (RunningStore running = await RunningStore.LoadAsync(directory))
        {
            await running.SetAsync("work", "memory", "555");
        }

        File.Delete(directory["qubes.xml"]);
        await File.WriteAllTextAsync(directory["qubes.xml"], damage);
        await using RunningStore again = await RunningStore.LoadAsync(directory);
        Assert.Equal("dom0 fedora work", string.Join(' ', again.App.Domains.Select(q => q.Name.Value)));
        string kept = Assert.Single(Directory.GetFiles(directory.Path, "qubes.xml.damaged-*"));
        Assert.Equal(damage, await File.ReadAllTextAsync(kept));
        await again.SetAsync("work", "memory", "666");
    }

    [Fact]
    public async Task Without_any_good_copy_a_damaged_store_is_an_error()
    {
        using TemporaryDirectory directory = Write("<qubes>");
        QubesException error = await Assert.ThrowsAsync<QubesException>(() => RunningStore.LoadAsync(directory));
        Assert.Contains("is damaged", error.Message, StringComparison.Ordinal);
        Assert.Equal("<qubes>", await File.ReadAllTextAsync(directory["qubes.xml"]));
    }

    [Fact]
    public async Task The_last_good_states_are_kept_in_order()
    {
        using TemporaryDirectory directory = Write(Valid);
        StoreOptions options = RunningStore.OptionsIn(directory) with { GenerationAge = TimeSpan.Zero, Generations = 2 };
        await using RunningStore running = await RunningStore.LoadAsync(directory, options);
        await running.SetAsync("work", "memory", "111");
        await running.WriteFileAsync();
        await running.SetAsync("work", "memory", "222");
        await running.WriteFileAsync();
        Assert.Contains(">222<", await File.ReadAllTextAsync(directory["qubes.xml.good-1"]), StringComparison.Ordinal);
        Assert.Contains(">111<", await File.ReadAllTextAsync(directory["qubes.xml.good-2"]), StringComparison.Ordinal);
        Assert.False(File.Exists(directory["qubes.xml.good-3"]));
    }

    [Theory]
    [InlineData(3650)]
    [InlineData(-3650)]
    public async Task Good_states_are_kept_once_a_minute_whatever_the_clock_is_set_to(int days)
    {
        using TemporaryDirectory directory = Write(Valid);
        ManualTime time = new();
        StoreOptions options = RunningStore.OptionsIn(directory) with { GenerationAge = TimeSpan.FromMinutes(1) };
        await using RunningStore running = await RunningStore.LoadAsync(directory, options, time);
        await running.SetAsync("work", "memory", "111");
        await running.WriteFileAsync();
        time.SetClock(TimeSpan.FromDays(days));
        await running.SetAsync("work", "memory", "222");
        await running.WriteFileAsync();
        Assert.DoesNotContain(">222<", await File.ReadAllTextAsync(directory["qubes.xml.good-1"]), StringComparison.Ordinal);
        time.Advance(TimeSpan.FromMinutes(1));
        await running.SetAsync("work", "memory", "333");
        await running.WriteFileAsync();
        Assert.Contains(">333<", await File.ReadAllTextAsync(directory["qubes.xml.good-1"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_history_tells_who_changed_what()
    {
        using TemporaryDirectory directory = Write(Valid);
        await using RunningStore running = await RunningStore.LoadAsync(directory);
        await running.SetAsync("work", "memory", "111");
        await running.SetAsync("work", "memory", "222");
        string[] lines = await File.ReadAllLinesAsync(Path.Combine(directory["history"], "changes.jsonl"));
        Assert.Equal(2, lines.Length);
        using JsonDocument last = JsonDocument.Parse(lines[1]);
        Assert.Equal(2, last.RootElement.GetProperty("revision").GetInt64());
        Assert.Equal("dom0", last.RootElement.GetProperty("who").GetString());
        Assert.Equal("admin.vm.property.Set+memory", last.RootElement.GetProperty("call").GetString());
        JsonElement change = Assert.Single(last.RootElement.GetProperty("changes").EnumerateArray());
        Assert.Equal(
            ("work", "property memory", "111", "222"),
            (change.GetProperty("subject").GetString(), change.GetProperty("item").GetString(), change.GetProperty("before").GetString(),
                change.GetProperty("after").GetString()));
    }

    [Fact]
    public async Task The_history_is_bounded_and_its_numbers_go_on()
    {
        using TemporaryDirectory directory = Write(Valid);
        StoreOptions options = RunningStore.OptionsIn(directory) with { HistoryFileSize = 1, HistoryFiles = 2 };
        await using (RunningStore running = await RunningStore.LoadAsync(directory, options))
        {
            for (int i = 1; i <= 5; i++)
            {
                await running.SetAsync("work", "memory", $"{i}");
            }
        }

        Assert.Equal(
            ["changes.1.jsonl", "changes.2.jsonl"], Directory.GetFiles(directory["history"]).Select(p => Path.GetFileName(p)!).Order());
        await using RunningStore again = await RunningStore.LoadAsync(directory, options);
        Assert.Equal(5, again.App.Changes.Revision);
    }

    [Fact]
    public async Task A_line_of_history_cut_by_a_crash_does_not_spoil_the_next()
    {
        using TemporaryDirectory directory = Write(Valid);
        Directory.CreateDirectory(directory["history"]);
        await File.WriteAllTextAsync(Path.Combine(directory["history"], "changes.jsonl"), "{\"revision\":41,\"when\":\"x\"}\n{\"revis");
        await using RunningStore running = await RunningStore.LoadAsync(directory);
        await running.SetAsync("work", "memory", "111");
        string[] lines = await File.ReadAllLinesAsync(Path.Combine(directory["history"], "changes.jsonl"));
        Assert.StartsWith("{\"revision\":42,", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_commit_without_a_change_needs_no_save()
    {
        using TemporaryDirectory directory = Write(Valid);
        await using RunningStore running = await RunningStore.LoadAsync(directory);
        FileStatus? before = FileStatus.Find(directory["qubes.xml"]);
        await running.ChangeAsync("nothing", _ => { });
        Assert.Equal(before, FileStatus.Find(directory["qubes.xml"]));
    }

    [Fact]
    public async Task Qubes_are_added_and_removed_durably()
    {
        using TemporaryDirectory directory = Write(Valid);
        await using RunningStore running = await RunningStore.LoadAsync(directory);
        await running.ChangeAsync("create", app => app.Domains.Create(new NewQube
        {
            Class = QubeClasses.AppVM,
            Name = QubeName.Parse("new"),
            Label = app.Labels.Find("red"),
        }));
        await running.ChangeAsync("remove", app => app.Domains.Remove(app.Domains["work"]));
        await using RunningStore again = await running.LoadAsAfterCrashAsync();
        Assert.Equal("dom0 fedora new", string.Join(' ', again.App.Domains.Select(q => q.Name.Value)));
        Assert.Equal(running.App.Domains["new"].Uuid, again.App.Domains["new"].Uuid);
    }

    private static TemporaryDirectory Write(string store)
    {
        TemporaryDirectory directory = new();
        using StreamWriter writer = File.CreateText(directory["qubes.xml"]);
        writer.Write(store);
        return directory;
    }

    private sealed class FileObserver(TemporaryDirectory directory) : IEventObserver
    {
        public List<bool> WasDurable { get; } = [];

        public void OnEvent(QubesEvent qubesEvent) => WasDurable.Add(
            Directory.GetFiles(directory.Path, "qubes.xml*").Any(path => File.ReadAllText(path).Contains(">555<", StringComparison.Ordinal)));
    }
}
