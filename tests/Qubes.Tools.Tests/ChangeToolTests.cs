namespace Qubes.Tools.Tests;

public sealed class ChangeToolTests : ToolHarness
{
    private const string Plan = """
        {"revision":7,"changes":[{"qube":"work","part":"properties.memory","before":{"type":"int","value":"400","default":true},"after":{"type":"int","value":"500","default":false}},
        {"qube":"","part":"properties.default_template","before":{"type":"vm","value":null,"default":true},"after":{"type":"vm","value":"tmpl","default":false}},
        {"qube":"work","part":"tags","before":[],"after":["t"]},{"qube":"new","part":"exists","before":false,"after":true},{"qube":"old","part":"exists","before":true,"after":false}],
        "restart":[{"qube":"work","because":["memory","feature os"]}],
        "rights":[{"service":"qubes.Filecopy","argument":"+","source":"work","target":"net","before":"ask","after":"allow","rule":"30-user.policy:3"}],
        "rights_complete":false,"holds":[{"kind":"network","qube":"work","before":"","after":"net"}]}
        """;

    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("qubes-apply-").FullName, "change.json");

    public override void Dispose()
    {
        Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);
        base.Dispose();
    }

    [Fact]
    public async Task Qubes_apply_plan_tells_what_would_happen()
    {
        await File.WriteAllTextAsync(_file, "{\"qubes\":{}}");
        Daemon.Answer("admin.change.Plan+ dom0", Plan);
        Assert.Equal(0, await RunAsync("qubes-apply", _file, "--plan"));
        Assert.Equal("""
            work properties.memory: '400' (default) -> '500'
            system properties.default_template: unset (default) -> 'tmpl'
            work tags: [] -> ["t"]
            new is made
            old is removed
            work needs a restart: memory, feature os
            rights widen: qubes.Filecopy+ from work to net, ask -> allow (30-user.policy:3)
            rights widen: there is more than was looked at
            network of work: none -> net

            """, Output);
        Assert.Empty(Calls("admin.change.Apply"));
    }

    [Fact]
    public async Task Qubes_apply_names_the_revision_it_looked_at()
    {
        await File.WriteAllTextAsync(_file, "{\"qubes\":{\"work\":{\"tags\":{\"t\":true}}}}");
        Daemon.Answer("admin.change.Plan+ dom0", Plan).Answer("admin.change.Apply+ dom0", "{\"revision\":8}");
        Assert.Equal(0, await RunAsync("qubes-apply", _file));
        Assert.Equal("revision 8\n", Output);
        Assert.Contains("qubes-apply: work needs a restart: memory, feature os\n", Error, StringComparison.Ordinal);
        Assert.Equal(["admin.change.Apply+ dom0 {\"revision\":7,\"qubes\":{\"work\":{\"tags\":{\"t\":true}}}}"], Calls("admin.change.Apply"));
    }

    [Fact]
    public async Task Qubes_apply_keeps_the_revision_of_the_document()
    {
        await File.WriteAllTextAsync(_file, "{\"revision\": 7}");
        Daemon.Answer("admin.change.Plan+ dom0", Plan).Answer("admin.change.Apply+ dom0", "{\"revision\":7}");
        Assert.Equal(0, await RunAsync("qubes-apply", "-q", _file));
        Assert.Equal(["admin.change.Apply+ dom0 {\"revision\": 7}"], Calls("admin.change.Apply"));
        Assert.Empty(Error);
    }

    [Fact]
    public async Task Qubes_apply_reports_what_the_daemon_refuses_and_files_it_cannot_read()
    {
        await File.WriteAllTextAsync(_file, "{}");
        Daemon.Fail("admin.change.Plan+ dom0", "QubesValueError", "/qubes/work: no");
        Assert.Equal(1, await RunAsync("qubes-apply", _file));
        Assert.Equal("qubes-apply: error: /qubes/work: no\n", Error);
        Assert.Equal(1, await RunAsync("qubes-apply", _file + ".none"));
        await File.WriteAllTextAsync(_file, new string(' ', 70_000));
        Assert.Equal(1, await RunAsync("qubes-apply", _file));
        Assert.Contains("is larger than 65000 bytes", Error, StringComparison.Ordinal);
        Assert.Equal(2, await RunAsync("qubes-apply"));
    }

    [Fact]
    public async Task Qubes_history_lists_changes_and_says_how_to_go_on()
    {
        Daemon.Answer("admin.history.List+ dom0", """
            {"entries":[{"revision":9,"when":"2026-11-24T10:00:00+00:00","who":"mgmt","call":"admin.vm.tag.Set+t","changes":[
            {"subject":"work","item":"tag t","before":null,"after":""},{"subject":"","item":"property clockvm","before":null,"after":"work"}]}],"next":9}
            """);
        Assert.Equal(0, await RunAsync("qubes-history", "--qube", "work", "--limit", "1"));
        Assert.Equal("REVISION  TIME                  WHO   CALL                CHANGED\n9         2026-11-24T10:00:00Z  mgmt  admin.vm.tag.Set+t  work,system\n", Output);
        Assert.Equal("qubes-history: there are more: --before 9\n", Error);
        Assert.Equal(["admin.history.List+ dom0 limit=1 qube=work"], Calls("admin.history.List"));
    }

    [Fact]
    public async Task Qubes_history_shows_one_revision()
    {
        Daemon.Answer("admin.history.List+ dom0", """
            {"entries":[{"revision":9,"when":"2026-11-24T10:00:00+00:00","who":"dom0","call":"x","changes":[
            {"subject":"work","item":"property memory","before":null,"after":"500"}]}],"next":null}
            """);
        Assert.Equal(0, await RunAsync("qubes-history", "show", "9"));
        Assert.Equal("revision 9\ntime 2026-11-24T10:00:00Z\nwho dom0\ncall x\nwork property memory: none -> '500'\n", Output);
        Assert.Equal(["admin.history.List+ dom0 before=10 limit=1"], Calls("admin.history.List"));
        Assert.Equal(1, await RunAsync("qubes-history", "show", "8"));
        Assert.Equal("qubes-history: error: revision 8 is not in the history\n", Error);
    }

    [Fact]
    public async Task Qubes_history_undoes_a_revision()
    {
        Daemon.Answer("admin.history.Undo+9 dom0", "{\"revision\":12}").Fail("admin.history.Undo+8 dom0", "QubesConflictError", "changed since");
        Assert.Equal(0, await RunAsync("qubes-history", "undo", "9"));
        Assert.Equal("revision 12\n", Output);
        Assert.Equal(1, await RunAsync("qubes-history", "undo", "8"));
        Assert.Equal("qubes-history: error: changed since\n", Error);
    }

    [Theory]
    [InlineData("undo")]
    [InlineData("show", "x")]
    [InlineData("list", "1")]
    [InlineData("erase", "1")]
    public async Task Qubes_history_explains_a_command_line_that_makes_no_sense(params string[] words)
    {
        Assert.Equal(2, await RunAsync("qubes-history", words));
        Assert.StartsWith("usage: qubes-history", Error, StringComparison.Ordinal);
    }
}
