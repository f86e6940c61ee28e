using System.Text.Json;

namespace Qubes.Admin.Tests.Calls;

public sealed class HistoryCallTests
{
    [Fact]
    public async Task Admin_history_List()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.property.Set", "memory", "work", "500");
        await fixture.CallAsync("admin.vm.tag.Set", "t", "debian");
        await fixture.CallAsync("admin.property.Set", "stats_interval", payload: "7");
        Assert.Equal("3 2 1", await RevisionsAsync(fixture, ""));
        Assert.Equal("1", await RevisionsAsync(fixture, "qube=work"));
        Assert.Equal("3", await RevisionsAsync(fixture, "call=admin.property."));
        Assert.Equal("", await RevisionsAsync(fixture, "who=work"));
        Assert.Equal("2 1", await RevisionsAsync(fixture, "who=dom0 before=3"));
        Assert.Equal("3 2", await RevisionsAsync(fixture, "limit=2"));
        string page = await fixture.CallAsync("admin.history.List", payload: "limit=2");
        Assert.EndsWith("\"next\":2}", page, StringComparison.Ordinal);
        Assert.Equal("1", await RevisionsAsync(fixture, "limit=2 before=2"));
        Assert.Contains("\"who\":\"dom0\",\"call\":\"admin.vm.property.Set+memory\",\"changes\":["
            + "{\"subject\":\"work\",\"item\":\"property memory\",\"before\":null,\"after\":\"500\"}]}],\"next\":null}",
            await fixture.CallAsync("admin.history.List", payload: "qube=work"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x", "Query must have the form key=value, separated by single spaces")]
    [InlineData("limit=1  who=a", "Query must have the form key=value, separated by single spaces")]
    [InlineData("limit=0", "Limit must be from 1 to 500")]
    [InlineData("limit=501", "Limit must be from 1 to 500")]
    [InlineData("limit=x", "Limit contains non ASCII digits")]
    [InlineData("before=01", "Before contains spurious leading zeros")]
    [InlineData("limit=1 limit=2", "Options must be unique")]
    [InlineData("where=x", "Options does not match: before, limit, qube, who, call")]
    [InlineData("who=\u00e4", "Query contains non-ASCII characters")]
    public async Task A_query_of_another_form_is_refused(string query, string text)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal($"2\0ProtocolError\0\0{text}\0", await fixture.CallAsync("admin.history.List", payload: query));
    }

    [Fact]
    public async Task Another_qube_sees_the_changes_of_qubes_it_may_see()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("watcher");
        await fixture.CallAsync("admin.vm.tag.Set", "t", "work");
        await fixture.CallAsync("admin.vm.tag.Set", "t", "debian");
        Assert.Equal("", await RevisionsAsync(fixture, "", "watcher"));
        fixture.Policy.With("30-test.policy", "* * watcher work allow target=dom0\n");
        Assert.Equal("1", await RevisionsAsync(fixture, "", "watcher"));
    }

    [Fact]
    public async Task Admin_history_Undo()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.change.Apply", payload: """
            {"revision":0,"system":{"properties":{"stats_interval":7,"clockvm":"work"}},
             "qubes":{"work":{"properties":{"memory":500},"features":{"f":"1"},"tags":{"t":true}}}}
            """);
        await fixture.CallAsync("admin.vm.tag.Set", "other", "work");
        Assert.Equal("0\0{\"revision\":3}", await fixture.CallAsync("admin.history.Undo", "1"));
        Assert.Equal("0\0default=True type=int 400", await fixture.CallAsync("admin.vm.property.Get", "memory", "work"));
        Assert.Equal("0\0default=True type=int 3", await fixture.CallAsync("admin.property.Get", "stats_interval"));
        Assert.Equal("0\0default=True type=vm ", await fixture.CallAsync("admin.property.Get", "clockvm"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.feature.List", destination: "work"));
        Assert.Equal("0\0other\n", await fixture.CallAsync("admin.vm.tag.List", destination: "work"));

        // An undo is a change like any other and can be undone.
        Assert.Equal("0\0{\"revision\":4}", await fixture.CallAsync("admin.history.Undo", "3"));
        Assert.Equal("0\0default=False type=int 500", await fixture.CallAsync("admin.vm.property.Get", "memory", "work"));
        Assert.Equal("0\0default=False type=vm work", await fixture.CallAsync("admin.property.Get", "clockvm"));
    }

    [Fact]
    public async Task What_others_change_meanwhile_keeps_nothing_from_being_undone()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.property.Set", "memory", "work", "500");
        using SemaphoreSlim turns = new(0);
        Task others = Task.Run(async () =>
        {
            for (int i = 0; i < 3 * 50; i++)
            {
                await turns.WaitAsync();
                await fixture.CallAsync("admin.vm.feature.Set", "x", "debian", i.ToString(System.Globalization.CultureInfo.InvariantCulture));
            }
        });
        string last = "1";
        for (int i = 0; i < 50; i++)
        {
            turns.Release(3);
            string reply = await fixture.CallAsync("admin.history.Undo", last);
            Assert.StartsWith("0\0{\"revision\":", reply, StringComparison.Ordinal);
            last = reply[14..^1];
        }

        await others;
    }

    [Fact]
    public async Task A_change_that_was_changed_since_is_not_undone()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.property.Set", "memory", "work", "500");
        await fixture.CallAsync("admin.vm.property.Set", "memory", "work", "600");
        Assert.Equal("2\0QubesConflictError\0\0Revision 1 cannot be undone: property memory of work was changed since, from '500' to '600'\0",
            await fixture.CallAsync("admin.history.Undo", "1"));
        Assert.Equal("0\0{\"revision\":3}", await fixture.CallAsync("admin.history.Undo", "2"));
        Assert.Equal("0\0{\"revision\":4}", await fixture.CallAsync("admin.history.Undo", "1"));
        Assert.Equal("0\0default=True type=int 400", await fixture.CallAsync("admin.vm.property.Get", "memory", "work"));
    }

    [Fact]
    public async Task What_is_more_than_a_setting_is_not_undone()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.Create.StandaloneVM", payload: "name=new label=red");
        await fixture.CallAsync("admin.vm.tag.Set", "t", "new");
        await fixture.CallAsync("admin.vm.Remove", destination: "new");
        await fixture.CallAsync("admin.pool.Add", "file-qcow2", payload: $"name=more\ndir_path={fixture.StateDirectory}/more");
        Assert.Equal("2\0QubesConflictError\0\0Revision 1 cannot be undone: it made the qube new, whose volumes would be deleted: remove the qube if that is meant\0",
            await fixture.CallAsync("admin.history.Undo", "1"));
        Assert.Equal("2\0QubesConflictError\0\0Revision 2 cannot be undone: the qube new is gone\0", await fixture.CallAsync("admin.history.Undo", "2"));
        Assert.Equal("2\0QubesConflictError\0\0Revision 3 cannot be undone: it removed the qube new, whose volumes are deleted\0",
            await fixture.CallAsync("admin.history.Undo", "3"));
        Assert.Equal("2\0QubesConflictError\0\0Revision 4 cannot be undone: it changed pool more, in which volumes may have been made since: add or remove the pool, its data stays\0",
            await fixture.CallAsync("admin.history.Undo", "4"));
        Assert.Equal("2\0QubesException\0\0Revision 5 is not in the history\0", await fixture.CallAsync("admin.history.Undo", "5"));
        Assert.Equal("2\0ProtocolError\0\0Revision contains non ASCII digits\0", await fixture.CallAsync("admin.history.Undo", "x"));
    }

    [Fact]
    public async Task Settings_of_pools_and_volumes_are_undone()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.pool.Set.revisions_to_keep", "varlibqubes", payload: "7"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.pool.Set.ephemeral_volatile", "varlibqubes", payload: "1"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.volume.Set.revisions_to_keep", "private", "work", "3"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.volume.Set.rw", "private", "work", "0"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.volume.Set.ephemeral", "volatile", "work", "1"));
        Assert.Equal("0\0{\"revision\":6}", await fixture.CallAsync("admin.history.Undo", "1"));
        Assert.Equal("0\0{\"revision\":7}", await fixture.CallAsync("admin.history.Undo", "2"));
        Assert.Equal("0\0{\"revision\":8}", await fixture.CallAsync("admin.history.Undo", "3"));
        Assert.Equal("0\0{\"revision\":9}", await fixture.CallAsync("admin.history.Undo", "4"));
        Assert.Equal("0\0{\"revision\":10}", await fixture.CallAsync("admin.history.Undo", "5"));
        string pool = await fixture.CallAsync("admin.pool.Info", "varlibqubes");
        Assert.Contains("revisions_to_keep=1\n", pool, StringComparison.Ordinal);
        Assert.Contains("ephemeral_volatile=False\n", pool, StringComparison.Ordinal);

        // The storage layer goes by it too, and the volume has no number of its own again.
        Assert.Equal(1, await fixture.OnLoopAsync(app => fixture.Lifecycle.StorageOf((Model.Classes.QubesVM)app.Domains["work"])["private"].RevisionsToKeep));
        Assert.True(await fixture.OnLoopAsync(app => ((Model.Classes.QubesVM)app.Domains["work"]).Volumes.All.Single(v => v.Name == "private") is { RevisionsToKeep: null, Rw: true }));
        Assert.Null(await fixture.OnLoopAsync(app => ((Model.Classes.QubesVM)app.Domains["work"]).Volumes.All.Single(v => v.Name == "volatile").Ephemeral));
    }

    [Fact]
    public async Task A_setting_of_a_volume_is_undone_under_the_rules_of_its_call()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("mgmt");
        await fixture.CallAsync("admin.vm.volume.Set.rw", "private", "work", "0");
        Assert.Equal("2\0PermissionDenied\0\0volume private rw of work: policy does not allow admin.vm.volume.Set.rw+private\0",
            await fixture.CallAsync("admin.history.Undo", "1", source: "mgmt"));
        await fixture.OnLoopAsync(app => ((Model.Classes.QubesVM)app.Domains["work"]).Runtime.State = Model.Classes.PowerState.Running);
        Assert.Equal("2\0QubesVMNotHaltedError\0\0volume private rw of work: Domain is not powered off: 'work'\0", await fixture.CallAsync("admin.history.Undo", "1"));
        await fixture.OnLoopAsync(app => ((Model.Classes.QubesVM)app.Domains["work"]).Runtime.State = Model.Classes.PowerState.Halted);
        Assert.Equal("0\0{\"revision\":2}", await fixture.CallAsync("admin.history.Undo", "1"));
        await fixture.Loop.InvokeAsync(() => fixture.Lifecycle.StorageOf((Model.Classes.QubesVM)fixture.App.Domains["work"])["private"].CreateAsync());
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.volume.Resize", "private", "work", "3221225472"));
        Assert.Equal("2\0QubesConflictError\0\0Revision 3 cannot be undone: it changed volume private size of work, whose data does not go back with it\0",
            await fixture.CallAsync("admin.history.Undo", "3"));
        await fixture.CallAsync("admin.pool.Add", "file-qcow2", payload: $"name=more\ndir_path={fixture.StateDirectory}/more");
        await fixture.CallAsync("admin.pool.Set.revisions_to_keep", "more", payload: "7");
        await fixture.CallAsync("admin.pool.Remove", "more");
        Assert.Equal("2\0QubesConflictError\0\0Revision 5 cannot be undone: the pool more is gone\0", await fixture.CallAsync("admin.history.Undo", "5"));
    }

    [Fact]
    public async Task A_template_goes_back_with_the_volumes_that_follow_it_and_a_cut_value_does_not()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("fedora", Model.Classes.QubeClasses.TemplateVM);
        await fixture.CallAsync("admin.vm.property.Set", "template", "work", "fedora");
        Assert.Equal("0\0{\"revision\":2}", await fixture.CallAsync("admin.history.Undo", "1"));
        Assert.Equal("0\0default=False type=vm debian", await fixture.CallAsync("admin.vm.property.Get", "template", "work"));
        await fixture.CallAsync("admin.vm.feature.Set", "long", "work", new string('x', 5000));
        Assert.Equal("2\0QubesConflictError\0\0Revision 3 cannot be undone: the history does not hold all of feature long\0",
            await fixture.CallAsync("admin.history.Undo", "3"));
    }

    [Fact]
    public async Task Another_qube_undoes_only_what_single_calls_let_it_change()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("mgmt");
        await fixture.CallAsync("admin.vm.tag.Set", "t", "work");
        Assert.Equal("2\0PermissionDenied\0\0tag t of work: policy does not allow admin.vm.tag.Remove+t\0",
            await fixture.CallAsync("admin.history.Undo", "1", source: "mgmt"));
        fixture.Policy.With("30-test.policy", "admin.vm.tag.Remove +t mgmt work allow target=dom0\n");
        Assert.Equal("0\0{\"revision\":2}", await fixture.CallAsync("admin.history.Undo", "1", source: "mgmt"));
    }

    private static async Task<string> RevisionsAsync(AdminFixture fixture, string query, string source = "dom0")
    {
        string reply = await fixture.CallAsync("admin.history.List", payload: query, source: source);
        Assert.StartsWith("0\0", reply, StringComparison.Ordinal);
        using JsonDocument document = JsonDocument.Parse(reply[2..]);
        return string.Join(' ', document.RootElement.GetProperty("entries").EnumerateArray().Select(e => e.GetProperty("revision").GetRawText()));
    }
}
