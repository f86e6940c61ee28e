namespace Qubes.Tools.Tests;

public sealed class NotesAndServiceToolTests : ToolHarness
{
    public NotesAndServiceToolTests() => Daemon.Answer("admin.vm.List+ dom0", ThreeQubes).Answer("admin.vm.notes.Get+ work", "old")
        .Answer("admin.vm.notes.Set+ work", "");

    [Fact]
    public async Task Notes_are_printed_set_appended_imported_and_deleted()
    {
        Assert.Equal(0, await RunAsync("qvm-notes", "--print", "work"));
        Assert.Equal("old\n", Output);
        Assert.Equal(0, await RunAsync("qvm-notes", "-s", "new text", "work"));
        Assert.Equal(0, await RunAsync("qvm-notes", "--append", "more", "work"));
        string file = Path.Combine(Daemon.Root, "notes");
        await File.WriteAllBytesAsync(file, "imported"u8.ToArray());
        Assert.Equal(0, await RunAsync("qvm-notes", "--import", file, "work"));
        Assert.Equal(0, await RunAsync("qvm-notes", "-f", "-d", "work"));
        Assert.Equal(
            ["admin.vm.notes.Set+ work new text", "admin.vm.notes.Set+ work old\nmore", "admin.vm.notes.Set+ work imported", "admin.vm.notes.Set+ work"],
            Calls("admin.vm.notes.Set"));
    }

    [Fact]
    public async Task Failures_say_what_could_not_be_done()
    {
        Daemon.Fail("admin.vm.notes.Set+ work", "QubesException", "no");
        Assert.Equal(1, await RunAsync("qvm-notes", "-s", "x", "work"));
        Assert.Equal("root: Unable to set qube notes: no\n", Error);
        Assert.Equal(1, await RunAsync("qvm-notes", "--import", "/no/such/file", "work"));
        Assert.StartsWith("root: Unable to import notes file: ", Error, StringComparison.Ordinal);
        Assert.Equal(2, await RunAsync("qvm-notes", "-p", "-d", "work"));
    }

    /// <summary>The editor is a program with arguments, never a line for a shell.</summary>
    [Fact]
    public async Task The_editor_gets_the_file_and_what_it_saves_is_stored()
    {
        string script = Path.Combine(Daemon.Root, "editor");
        await File.WriteAllBytesAsync(script, "#!/bin/sh\nprintf '%s' \"$# $1\" > \"$2\"\n"u8.ToArray());
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        string bad = Path.Combine(Daemon.Root, "pwned");
        await WithEditorAsync($"{script} $(touch${{IFS}}{bad});", async () =>
        {
            Assert.Equal(0, await RunAsync("qvm-notes", "work"));
            Assert.Equal($"admin.vm.notes.Set+ work 2 $(touch${{IFS}}{bad});", Assert.Single(Calls("admin.vm.notes.Set")));
        });
        Assert.False(File.Exists(bad));
    }

    [Fact]
    public async Task An_editor_that_changes_nothing_fails_or_is_missing_stores_nothing()
    {
        await WithEditorAsync("true", async () => Assert.Equal(0, await RunAsync("qvm-notes", "-e", "work")));
        await WithEditorAsync("false", async () =>
        {
            Assert.Equal(1, await RunAsync("qvm-notes", "work"));
            Assert.Equal("qvm-notes: error: the editor failed, the notes were not changed: false\n", Error);
        });
        await WithEditorAsync("no-such-editor", async () => Assert.Equal(1, await RunAsync("qvm-notes", "work")));
        Assert.Equal("qvm-notes: error: editor not found: no-such-editor\n", Error);
        Assert.Empty(Calls("admin.vm.notes.Set"));
    }

    [Fact]
    public async Task Services_are_listed_asked_for_set_and_unset()
    {
        Daemon.Answer("admin.vm.feature.List+ work", "gui\nservice.cups\nservice.clocksync\n")
            .Answer("admin.vm.feature.Get+service.cups work", "1").Answer("admin.vm.feature.Get+service.clocksync work", "")
            .Fail("admin.vm.feature.Get+service.none work", "QubesFeatureNotFoundError", "no")
            .Answer("admin.vm.feature.Set+service.x work", "").Answer("admin.vm.feature.Remove+service.x work", "");
        Assert.Equal(0, await RunAsync("qvm-service", "work"));
        Assert.Equal("cups       on\nclocksync  off\n", Output);
        Assert.Equal(0, await RunAsync("qvm-service", "--list", "work"));
        Assert.Equal("cups       on\nclocksync  off\n", Output);
        Assert.Equal(0, await RunAsync("qvm-service", "work", "clocksync"));
        Assert.Equal("off\n", Output);
        Assert.Equal(1, await RunAsync("qvm-service", "work", "none"));
        Assert.Equal("", Output);
        Assert.Equal(0, await RunAsync("qvm-service", "-e", "work", "x"));
        Assert.Equal(0, await RunAsync("qvm-service", "work", "x", "OFF"));
        Assert.Equal(0, await RunAsync("qvm-service", "work", "x", "-d"));
        Assert.Equal(["admin.vm.feature.Set+service.x work 1", "admin.vm.feature.Set+service.x work", "admin.vm.feature.Set+service.x work"],
            Calls("admin.vm.feature.Set"));
        Assert.Equal(0, await RunAsync("qvm-service", "work", "-D", "x"));
        Assert.Single(Calls("admin.vm.feature.Remove"));
        Assert.Equal(1, await RunAsync("qvm-service", "work", "x", "maybe"));
        Assert.Equal("qvm-service: error: Invalid literal for boolean value: 'maybe'\n", Error);
        Assert.Equal(2, await RunAsync("qvm-service", "-e", "-d", "work", "x"));
        Assert.Equal(2, await RunAsync("qvm-service", "-e", "work"));
    }

    private static async Task WithEditorAsync(string editor, Func<Task> action)
    {
        string? visual = Environment.GetEnvironmentVariable("VISUAL");
        Environment.SetEnvironmentVariable("VISUAL", editor);
        try
        {
            await action();
        }
        finally
        {
            Environment.SetEnvironmentVariable("VISUAL", visual);
        }
    }
}
