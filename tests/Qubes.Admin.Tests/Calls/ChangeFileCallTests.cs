using Qubes.Model.Classes;
using Qubes.Model.Events;

namespace Qubes.Admin.Tests.Calls;

/// <summary>Firewall rules and notes in change documents and in the history: with everything else, or not at all.</summary>
public sealed class ChangeFileCallTests
{
    private const string Document =
        """{"revision":0,"qubes":{"work":{"properties":{"memory":500},"firewall":["action=drop dst4=10.0.0.1","action=accept"],"notes":"of\nmine"}}}""";

    [Fact]
    public async Task Rules_and_notes_change_with_the_rest_in_one_commit()
    {
        await using AdminFixture fixture = await StartAsync();
        List<string> events = [];
        await fixture.OnLoopAsync(app => app.Events.On(EmitterClass.LocalVM, "firewall-changed", e => events.Add(e.Subject.SubjectText)));
        Assert.Equal("0\0{\"revision\":1}", await ApplyAsync(fixture, Document));
        Assert.Equal(1, fixture.Commits);
        Assert.Equal(["work"], events);
        Assert.Equal("0\0action=drop dst4=10.0.0.1/32\naction=accept\n", await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"));
        Assert.Equal("0\0of\nmine", await fixture.CallAsync("admin.vm.notes.Get", destination: "work"));
        Assert.Equal(["firewall.xml", "notes.txt"], Files(fixture));

        // What is so already is left alone.
        Assert.StartsWith("0\0", await ApplyAsync(fixture, Document.Replace(":0", ":1", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Single(events);
        Assert.Equal("0\0{\"revision\":3}", await ApplyAsync(fixture, """{"revision":2,"qubes":{"work":{"firewall":null,"notes":null}}}"""));
        Assert.Equal("0\0action=accept\n", await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"));
        Assert.Equal(["firewall.xml"], Files(fixture));
    }

    [Fact]
    public async Task What_cannot_be_saved_leaves_the_files_as_they_were()
    {
        await using AdminFixture fixture = await StartAsync();
        await fixture.CallAsync("admin.vm.notes.Set", destination: "work", payload: "old");
        fixture.DiskIsFull = true;
        Assert.StartsWith("2\0", await ApplyAsync(fixture, Document.Replace(":0", ":1", StringComparison.Ordinal)), StringComparison.Ordinal);
        fixture.DiskIsFull = false;
        Assert.Equal("0\0old", await fixture.CallAsync("admin.vm.notes.Get", destination: "work"));
        Assert.Equal("0\0action=accept\n", await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"));
        Assert.Equal(["notes.txt"], Files(fixture));

        // The directory is gone: the files cannot be prepared, so nothing else changes either.
        Directory.Delete(DirectoryOf(fixture), recursive: true);
        Assert.StartsWith("2\0QubesException\0\0firewall save error: ", await ApplyAsync(fixture, Document.Replace(":0", ":2", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal("0\0default=True type=int 400", await fixture.CallAsync("admin.vm.property.Get", "memory", "work"));
    }

    [Fact]
    public async Task A_single_call_is_a_commit_that_documents_and_the_history_know_of()
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.firewall.Set", destination: "work", payload: "action=drop"));
        Assert.Equal("2\0QubesConflictError\0\0The state is at revision 1 by now, the change was made for revision 0\0", await ApplyAsync(fixture, Document));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.notes.Set", destination: "work", payload: "x"));
        string history = await fixture.CallAsync("admin.history.List");
        Assert.Contains("\"changes\":[{\"subject\":\"work\",\"item\":\"firewall\",\"before\":null,\"after\":\"action=drop\"}]", history, StringComparison.Ordinal);
        Assert.Contains("\"changes\":[{\"subject\":\"work\",\"item\":\"notes\",\"before\":null,\"after\":\"x\"}]", history, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rules_and_notes_are_undone()
    {
        await using AdminFixture fixture = await StartAsync();
        await ApplyAsync(fixture, """{"revision":0,"qubes":{"work":{"firewall":[]}}}""");
        await fixture.CallAsync("admin.vm.notes.Set", destination: "work", payload: "first");
        await ApplyAsync(fixture, Document.Replace(":0", ":2", StringComparison.Ordinal));
        Assert.Equal("0\0{\"revision\":4}", await fixture.CallAsync("admin.history.Undo", "3"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"));
        Assert.Equal("0\0first", await fixture.CallAsync("admin.vm.notes.Get", destination: "work"));
        Assert.Equal("0\0{\"revision\":5}", await fixture.CallAsync("admin.history.Undo", "1"));
        Assert.Equal("0\0action=accept\n", await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"));
        await fixture.CallAsync("admin.vm.notes.Set", destination: "work", payload: "second");
        Assert.Equal("2\0QubesConflictError\0\0Revision 2 cannot be undone: notes of work was changed since, from 'first' to 'another text'\0",
            await fixture.CallAsync("admin.history.Undo", "2"));
    }

    [Fact]
    public async Task What_the_history_has_not_in_full_is_not_undone()
    {
        await using AdminFixture fixture = await StartAsync();
        await File.WriteAllTextAsync(Path.Combine(DirectoryOf(fixture), "firewall.xml"), "damaged");
        await fixture.CallAsync("admin.vm.notes.Set", destination: "work", payload: new string('x', 5000));
        await fixture.CallAsync("admin.vm.notes.Set", destination: "work", payload: "short");
        await fixture.CallAsync("admin.vm.firewall.Set", destination: "work", payload: "action=drop");
        Assert.Equal("2\0QubesConflictError\0\0Revision 2 cannot be undone: the history does not hold all of notes\0", await fixture.CallAsync("admin.history.Undo", "2"));
        Assert.Equal("2\0QubesConflictError\0\0Revision 3 cannot be undone: the history does not hold all of firewall\0", await fixture.CallAsync("admin.history.Undo", "3"));
    }

    [Fact]
    public async Task A_plan_tells_rules_that_may_let_more_through()
    {
        await using AdminFixture fixture = await StartAsync();
        await fixture.OnLoopAsync(app => ((QubesVM)app.Domains["work"]).Runtime.State = PowerState.Running);
        Assert.Equal("0\0{\"revision\":0,\"changes\":["
            + """{"qube":"work","part":"firewall","before":["action=accept"],"after":["action=drop"]},"""
            + """{"qube":"work","part":"notes","before":"","after":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}],"""
            + "\"restart\":[],\"rights\":[],\"rights_complete\":true,\"holds\":[]}",
            await PlanAsync(fixture, """{"qubes":{"work":{"firewall":["action=drop"],"notes":"x"}}}"""));
        await fixture.CallAsync("admin.vm.firewall.Set", destination: "work", payload: "action=drop");
        Assert.Contains("\"holds\":[{\"kind\":\"reach\",\"qube\":\"work\",\"before\":\"action=drop\",\"after\":\"action=accept proto=tcp; action=drop\"}]",
            await PlanAsync(fixture, """{"qubes":{"work":{"firewall":["action=accept proto=tcp","action=drop"]}}}"""), StringComparison.Ordinal);
        Assert.Equal("0\0action=drop\n", await fixture.CallAsync("admin.vm.firewall.Get", destination: "work"));
    }

    [Fact]
    public async Task A_new_qube_comes_with_its_rules_and_notes()
    {
        await using AdminFixture fixture = await StartAsync();
        Directory.CreateDirectory(Path.Combine(fixture.StateDirectory, "appvms", "new"));
        Assert.Equal("0\0{\"revision\":1}", await ApplyAsync(fixture, """
            {"revision":0,"qubes":{"new":{"create":{"class":"AppVM","template":"debian","label":"red"},"firewall":["action=drop"],"notes":"made"}}}
            """));
        Assert.Equal("0\0action=drop\n", await fixture.CallAsync("admin.vm.firewall.Get", destination: "new"));
        Assert.Equal("0\0made", await fixture.CallAsync("admin.vm.notes.Get", destination: "new"));
    }

    [Theory]
    [InlineData("\"work\":{\"firewall\":[\"action=maybe\"]}", "QubesValueError", "/qubes/work/firewall: Invalid action: 'maybe'")]
    [InlineData("\"work\":{\"firewall\":[\"action=drop\\naction=accept\"]}", "ProtocolError", "/qubes/work/firewall: a rule is one line")]
    [InlineData("\"work\":{\"firewall\":[\"\"]}", "ProtocolError", "/qubes/work/firewall: a rule is one line")]
    [InlineData("\"work\":{\"firewall\":[1]}", "ProtocolError", "/qubes/work/firewall/0: expected a text")]
    [InlineData("\"work\":{\"firewall\":\"action=drop\"}", "ProtocolError", "/qubes/work/firewall: expected a list of rules or null")]
    [InlineData("\"work\":{\"firewall\":[\"action=drop comment=\\u00e9\"]}", "ProtocolError", "/qubes/work/firewall: Rules contains non-ASCII characters")]
    [InlineData("\"work\":{\"notes\":1}", "ProtocolError", "/qubes/work/notes: expected a text")]
    [InlineData("\"dom0\":{\"notes\":\"x\"}", "QubesVMError", "/qubes/dom0/notes: Qubes of class AdminVM have no notes")]
    [InlineData("\"dom0\":{\"firewall\":null}", "QubesVMError", "/qubes/dom0/firewall: Qubes of class AdminVM have no firewall rules")]
    public async Task What_are_no_rules_or_notes_is_refused_with_its_place(string member, string error, string text)
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.Equal($"2\0{error}\0\0{text}\0", await ApplyAsync(fixture, "{\"revision\":0,\"qubes\":{" + member + "}}"));
        Assert.Equal(0, fixture.Commits);
    }

    [Fact]
    public async Task Another_qube_needs_the_rights_of_the_single_calls()
    {
        await using AdminFixture fixture = await StartAsync();
        await fixture.AddQubeAsync("mgmt");
        const string document = """{"revision":0,"qubes":{"work":{"firewall":["action=drop"],"notes":"x"}}}""";
        Assert.Equal("2\0PermissionDenied\0\0/qubes/work/firewall: policy does not allow admin.vm.firewall.Set+\0", await ApplyAsync(fixture, document, "mgmt"));
        fixture.Policy.With("30-test.policy", "admin.vm.firewall.Set * mgmt work allow target=dom0\n");
        Assert.Equal("2\0PermissionDenied\0\0/qubes/work/notes: policy does not allow admin.vm.notes.Set+\0", await ApplyAsync(fixture, document, "mgmt"));
        fixture.Policy.With("30-test.policy", "admin.vm.firewall.Set * mgmt work allow target=dom0\nadmin.vm.notes.Set * mgmt work allow target=dom0\n");
        Assert.Equal("0\0{\"revision\":1}", await ApplyAsync(fixture, document, "mgmt"));
    }

    private static async Task<AdminFixture> StartAsync()
    {
        AdminFixture fixture = await AdminFixture.StartAsync();
        Directory.CreateDirectory(DirectoryOf(fixture));
        return fixture;
    }

    private static string DirectoryOf(AdminFixture fixture) => Path.Combine(fixture.StateDirectory, "appvms", "work");

    /// <summary>Nothing else than what belongs there is left, also not of what was being prepared.</summary>
    private static string[] Files(AdminFixture fixture)
    {
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(fixture.StateDirectory, ".file-commits")));
        return [.. Directory.EnumerateFiles(DirectoryOf(fixture)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
    }

    private static Task<string> ApplyAsync(AdminFixture fixture, string document, string source = "dom0") =>
        fixture.CallAsync("admin.change.Apply", payload: document, source: source);

    private static Task<string> PlanAsync(AdminFixture fixture, string document) => fixture.CallAsync("admin.change.Plan", payload: document);
}
