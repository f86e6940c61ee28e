using System.Globalization;
using Qubes.Linux;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Store.Journal;

namespace Qubes.Store.Tests;

/// <summary>The journal beside the store: what is acknowledged is there after a crash, and nothing else is.</summary>
public sealed class JournalTests
{
    private static readonly string Valid = StoreText.Store(StoreText.Dom0, StoreText.Fedora, StoreText.AppVM("work", 2));

    [Fact]
    public async Task An_acknowledged_change_is_there_after_a_crash_though_the_file_has_it_not()
    {
        using TemporaryDirectory directory = Write(Valid);
        await using RunningStore running = await WithBaseAsync(directory);
        byte[] file = await File.ReadAllBytesAsync(directory["qubes.xml"]);
        await running.SetAsync("work", "memory", "555");
        Assert.Equal(file, await File.ReadAllBytesAsync(directory["qubes.xml"]));

        await using RunningStore again = await running.LoadAsAfterCrashAsync();
        Assert.Equal("default=False type=int 555", await again.ReadAsync("work", "memory"));
        Assert.Equal(running.App.Changes.Revision, again.App.Changes.Revision);
        await again.SetAsync("work", "memory", "556");
        await using RunningStore third = await again.LoadAsAfterCrashAsync();
        Assert.Equal("default=False type=int 556", await third.ReadAsync("work", "memory"));
    }

    [Fact]
    public async Task A_qube_that_is_still_being_made_and_its_label_are_left_out_of_what_others_save()
    {
        using TemporaryDirectory directory = Write(Valid);
        await using RunningStore running = await WithBaseAsync(directory);
        TaskCompletionSource made = new();
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task making = running.Loop.InvokeAsync(async () =>
        {
            using ModelChange change = running.App.Changes.Begin(new ChangeOrigin("dom0", "admin.vm.Create.AppVM", DateTimeOffset.UnixEpoch));
            running.App.Labels.Create(LabelName.Parse("teal", forCreation: true), LabelColor.Parse("0x008080"u8));
            running.App.Domains.Create(new NewQube
            {
                Class = QubeClasses.AppVM, Name = QubeName.Parse("fresh"), Label = running.App.Labels.Find("teal"), Template = running.App.Domains["fedora"],
            });
            begun.SetResult();
            await made.Task;
            await running.Store.CommitAsync(change);
        });
        await begun.Task;
        await running.SetAsync("work", "memory", "555");
        await running.WriteFileAsync();
        await running.SetAsync("work", "memory", "556");
        await using (RunningStore without = await running.LoadAsAfterCrashAsync())
        {
            Assert.Equal("default=False type=int 556", await without.ReadAsync("work", "memory"));
            Assert.False(without.App.Domains.TryGet("fresh", out _));
            Assert.False(without.App.Labels.TryFind("teal", out _));
        }

        made.SetResult();
        await making;
        await using RunningStore with = await running.LoadAsAfterCrashAsync();
        Assert.True(with.App.Domains.TryGet("fresh", out Qube? fresh));
        Assert.Equal("teal", fresh.Label?.Name);
    }

    [Fact]
    public async Task The_file_follows_by_itself()
    {
        using TemporaryDirectory directory = Write(Valid);
        await using RunningStore running = await RunningStore.LoadAsync(directory, RunningStore.OptionsIn(directory) with { FileDelay = TimeSpan.Zero });
        await running.SetAsync("work", "memory", "1");
        using FileSystemWatcher watcher = new(directory.Path);
        TaskCompletionSource replaced = new(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Renamed += (_, e) => _ = e.Name == "qubes.xml" && replaced.TrySetResult();
        watcher.EnableRaisingEvents = true;
        await running.SetAsync("work", "memory", "555");
        await replaced.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Contains(">555<", await File.ReadAllTextAsync(directory["qubes.xml"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_stop_the_file_says_all_and_may_be_edited()
    {
        using TemporaryDirectory directory = Write(Valid);
        await using (RunningStore running = await WithBaseAsync(directory))
        {
            await running.SetAsync("work", "memory", "555");
        }

        string text = await File.ReadAllTextAsync(directory["qubes.xml"]);
        Assert.Contains(">555<", text, StringComparison.Ordinal);
        // An edit that drops the revision, as any tool of upstream would.
        int comment = text.IndexOf("  <!-- revision", StringComparison.Ordinal);
        text = text.Remove(comment, text.IndexOf('\n', comment) + 1 - comment).Replace(">555<", ">777<", StringComparison.Ordinal);
        Overwrite(directory["qubes.xml"], text);
        await using RunningStore again = await RunningStore.LoadAsync(directory);
        Assert.Equal("default=False type=int 777", await again.ReadAsync("work", "memory"));
        Assert.Empty(Directory.GetFiles(directory.Path, "qubes.xml.journal-*"));
        await again.SetAsync("work", "memory", "778");
        await using RunningStore third = await again.LoadAsAfterCrashAsync();
        Assert.Equal("default=False type=int 778", await third.ReadAsync("work", "memory"));
    }

    [Fact]
    public async Task A_journal_of_another_file_is_kept_and_not_applied()
    {
        using TemporaryDirectory directory = Write(Valid);
        using TemporaryDirectory crashed = new();
        await using (RunningStore running = await WithBaseAsync(directory))
        {
            await running.SetAsync("work", "memory", "555");
            running.CopyTo(crashed);
        }

        string edited = (await File.ReadAllTextAsync(crashed["qubes.xml"])).Replace(">red<", ">black<", StringComparison.Ordinal);
        Overwrite(crashed["qubes.xml"], edited);
        byte[] journal = await File.ReadAllBytesAsync(crashed["qubes.xml.journal"]);
        await using RunningStore again = await RunningStore.LoadAsync(crashed);
        Assert.Equal("default=False type=int 1", await again.ReadAsync("work", "memory"));
        string kept = Assert.Single(Directory.GetFiles(crashed.Path, "qubes.xml.journal-unfit-*"));
        Assert.Equal(journal, await File.ReadAllBytesAsync(kept));
        Assert.True(again.App.Changes.Revision >= 2, "Numbers that were given out are not given out again.");
        await again.SetAsync("work", "memory", "666");
        await using RunningStore third = await again.LoadAsAfterCrashAsync();
        Assert.Equal("default=False type=int 666", await third.ReadAsync("work", "memory"));
    }

    [Fact]
    public async Task Damage_in_the_middle_of_a_journal_is_reported_and_what_stands_before_it_applied()
    {
        using TemporaryDirectory directory = Write(Valid);
        using TemporaryDirectory crashed = new();
        await using (RunningStore running = await WithBaseAsync(directory))
        {
            await running.SetAsync("work", "memory", "501");
            await running.SetAsync("work", "memory", "502");
            await running.SetAsync("work", "memory", "503");
            running.CopyTo(crashed);
        }

        byte[] journal = await File.ReadAllBytesAsync(crashed["qubes.xml.journal"]);
        int second = journal.AsSpan().IndexOf(">502<"u8);
        journal[second + 1] ^= 1;
        Overwrite(crashed["qubes.xml.journal"], journal);
        await using RunningStore again = await RunningStore.LoadAsync(crashed);
        Assert.Equal("default=False type=int 501", await again.ReadAsync("work", "memory"));
        Assert.Single(Directory.GetFiles(crashed.Path, "qubes.xml.journal-damaged-*"));
        await again.SetAsync("work", "memory", "504");
        await using RunningStore third = await again.LoadAsAfterCrashAsync();
        Assert.Equal("default=False type=int 504", await third.ReadAsync("work", "memory"));
    }

    [Fact]
    public async Task A_journal_cut_at_any_byte_gives_the_changes_before_the_cut()
    {
        using TemporaryDirectory directory = Write(Valid);
        byte[] journal;
        await using (RunningStore running = await WithBaseAsync(directory, RunningStore.OptionsIn(directory) with { JournalSize = 32 << 10 }))
        {
            for (int i = 0; i < 4; i++)
            {
                await running.SetAsync("work", "memory", $"{500 + i}");
            }

            journal = await File.ReadAllBytesAsync(directory["qubes.xml.journal"]);
        }

        JournalScan whole = JournalScan.Read(journal);
        Assert.Equal(0, whole.ActiveHalf);
        Assert.Equal(4, whole.Records.Count(r => r.Kind == JournalRecordKind.Change));
        int end = 0;
        int[] ends = [.. whole.Records.Select(record => end += record.Length)];
        for (int cut = 0; cut <= whole.ActiveLength; cut++)
        {
            byte[] torn = new byte[journal.Length];
            journal.AsSpan(0, cut).CopyTo(torn);
            JournalScan scan = JournalScan.Read(torn);
            // Zeros are what the padding of a record is made of.
            int expected = ends.Zip(whole.Records).Count(r => r.First - r.Second.Length + JournalFormat.HeaderLength + r.Second.Payload.Length <= cut
                || torn.AsSpan(0, r.First).SequenceEqual(journal.AsSpan(0, r.First)));
            Assert.Equal(expected, scan.Records.Count);
            Assert.False(scan.IsDamaged);
        }
    }

    [Fact]
    public async Task A_store_with_a_cut_journal_loads_as_it_was_at_that_time()
    {
        using TemporaryDirectory directory = Write(Valid);
        using TemporaryDirectory crashed = new();
        await using (RunningStore running = await WithBaseAsync(directory))
        {
            for (int i = 1; i <= 5; i++)
            {
                await running.SetAsync("work", "memory", $"{500 + i}");
            }

            running.CopyTo(crashed);
        }

        byte[] journal = await File.ReadAllBytesAsync(crashed["qubes.xml.journal"]);
        byte[] store = await File.ReadAllBytesAsync(crashed["qubes.xml"]);
        JournalScan whole = JournalScan.Read(journal);
        int end = 0;
        int changes = 0;
        foreach (JournalRecord record in whole.Records)
        {
            end += record.Length;
            changes += record.Kind == JournalRecordKind.Change ? 1 : 0;
            foreach (int cut in (int[])[end - record.Payload.Length, end - 8, end])
            {
                byte[] torn = new byte[journal.Length];
                journal.AsSpan(0, cut).CopyTo(torn);
                Overwrite(crashed["qubes.xml.journal"], torn);
                Overwrite(crashed["qubes.xml"], store);
                await using RunningStore again = await RunningStore.LoadAsync(crashed);
                bool isWhole = JournalScan.Read(torn).Records.Count(r => r.Kind == JournalRecordKind.Change) == changes;
                int expected = isWhole ? changes : changes - 1;
                string memory = expected <= 0 ? "1" : (500 + expected).ToString(CultureInfo.InvariantCulture);
                Assert.Equal($"default=False type=int {memory}", await again.ReadAsync("work", "memory"));
            }
        }
    }

    [Fact]
    public async Task A_change_too_large_for_the_journal_replaces_the_file()
    {
        using TemporaryDirectory directory = Write(Valid);
        await using RunningStore running = await WithBaseAsync(directory, RunningStore.OptionsIn(directory) with { JournalSize = 16 << 10 });
        string large = new('x', 20_000);
        await running.ChangeAsync("large", app => app.Domains["work"].Features.Set("large", large));
        Assert.Contains(large, await File.ReadAllTextAsync(directory["qubes.xml"]), StringComparison.Ordinal);
        await running.SetAsync("work", "memory", "2");
        await using RunningStore again = await running.LoadAsAfterCrashAsync();
        Assert.Equal(large, again.App.Domains["work"].Features.All.Single(f => f.Key == "large").Value);
        Assert.Equal("default=False type=int 2", await again.ReadAsync("work", "memory"));
    }

    [Fact]
    public async Task A_small_journal_is_used_again_and_again()
    {
        using TemporaryDirectory directory = Write(Valid);
        StoreOptions options = RunningStore.OptionsIn(directory) with { JournalSize = 24 << 10, FileDelay = TimeSpan.Zero };
        await using RunningStore running = await WithBaseAsync(directory, options);
        for (int i = 2; i < 150; i++)
        {
            await running.SetAsync("work", "memory", $"{i}");
            if (i % 10 == 0)
            {
                await using RunningStore again = await running.LoadAsAfterCrashAsync();
                Assert.Equal($"default=False type=int {i}", await again.ReadAsync("work", "memory"));
                Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(again.Options.StoreFile)!, "*unfit*"));
            }
        }

        Assert.Equal(24 << 10, new FileInfo(directory["qubes.xml.journal"]).Length);
    }

    [Fact]
    public async Task Lines_of_history_that_a_crash_swallowed_come_back_from_the_journal()
    {
        using TemporaryDirectory directory = Write(Valid);
        using TemporaryDirectory crashed = new();
        await using (RunningStore running = await WithBaseAsync(directory))
        {
            await running.SetAsync("work", "memory", "501");
            await running.SetAsync("work", "memory", "502");
            running.CopyTo(crashed);
        }

        string history = Path.Combine(crashed["history"], "changes.jsonl");
        string[] lines = await File.ReadAllLinesAsync(history);
        Overwrite(history, lines[0] + "\n");
        await using RunningStore again = await RunningStore.LoadAsync(crashed);
        Assert.Equal(lines, await File.ReadAllLinesAsync(history));
    }

    [Fact]
    public async Task Two_programs_cannot_have_the_store_at_once()
    {
        using TemporaryDirectory directory = Write(Valid);
        await using RunningStore running = await WithBaseAsync(directory);
        QubesException refused = await Assert.ThrowsAsync<QubesException>(() => RunningStore.LoadAsync(directory));
        Assert.EndsWith("is in use by another program", refused.Message, StringComparison.Ordinal);
        await running.SetAsync("work", "memory", "2");
        await running.WriteFileAsync();
        using Microsoft.Win32.SafeHandles.SafeFileHandle other =
            File.OpenHandle(directory["qubes.xml"], FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Assert.False(FileLock.TryTake(other), "A new file is locked as well.");
    }

    /// <summary>A store whose next change goes to the journal: memory is 1, revision 1.</summary>
    private static async Task<RunningStore> WithBaseAsync(TemporaryDirectory directory, StoreOptions? options = null)
    {
        RunningStore running = await RunningStore.LoadAsync(directory, options);
        await running.SetAsync("work", "memory", "1");
        return running;
    }

    private static TemporaryDirectory Write(string store)
    {
        TemporaryDirectory directory = new();
        Overwrite(directory["qubes.xml"], store);
        return directory;
    }

    private static void Overwrite(string path, string text) => Overwrite(path, System.Text.Encoding.UTF8.GetBytes(text));

    private static void Overwrite(string path, byte[] content)
    {
        using FileStream file = new(path, FileMode.Create);
        file.Write(content);
    }
}
