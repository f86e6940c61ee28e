using System.Text.Json;
using Qubes.Model.Classes;
using Qubes.Model.Disposables;
using Qubes.Protocol.Names;
using Qubes.Testing;

namespace Qubes.Admin.Tests.Calls;

public sealed class ChangeCallTests
{
    [Fact]
    public async Task Admin_change_Plan()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.OnLoopAsync(app => ((QubesVM)app.Domains["work"]).Runtime.State = PowerState.Running);
        string reply = await PlanAsync(fixture, """{"qubes":{"debian":{"properties":{"memory":500}},"work":{"features":{"x":"y"}}}}""");
        Assert.Equal("0\0{\"revision\":0,\"changes\":["
            + """{"qube":"debian","part":"properties.memory","before":{"type":"int","value":"400","default":true},"after":{"type":"int","value":"500","default":false}},"""
            + """{"qube":"work","part":"properties.memory","before":{"type":"int","value":"400","default":true},"after":{"type":"int","value":"500","default":true}},"""
            + """{"qube":"work","part":"features","before":{},"after":{"x":"y"}}],"restart":[{"qube":"work","because":["memory"]}],"""
            + "\"rights\":[],\"rights_complete\":true,\"holds\":[]}", reply);
        Assert.Equal("default=True type=int 400", (await fixture.CallAsync("admin.vm.property.Get", "memory", "debian"))[2..]);
        Assert.Equal(0, fixture.Commits);
        Assert.Empty(fixture.Lifecycle.Asked);
    }

    [Fact]
    public async Task Admin_change_Apply()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0{\"revision\":1}", await ApplyAsync(fixture, """
            {"revision":0,"system":{"properties":{"stats_interval":7}},
             "qubes":{"work":{"properties":{"memory":"500","debug":true},"features":{"a":"1","b":false},"tags":{"t":true,"absent":false}}}}
            """));
        Assert.Equal("0\0default=False type=int 7", await fixture.CallAsync("admin.property.Get", "stats_interval"));
        Assert.Equal("0\0default=False type=int 500", await fixture.CallAsync("admin.vm.property.Get", "memory", "work"));
        Assert.Equal("0\0default=False type=bool True", await fixture.CallAsync("admin.vm.property.Get", "debug", "work"));
        Assert.Equal("0\0a\nb\n", await fixture.CallAsync("admin.vm.feature.List", destination: "work"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.feature.Get", "b", "work"));
        Assert.Equal("0\0t\n", await fixture.CallAsync("admin.vm.tag.List", destination: "work"));
        Assert.Equal(1, fixture.Commits);
        Assert.Equal("0\0{\"revision\":2}", await ApplyAsync(fixture,
            """{"revision":1,"qubes":{"work":{"properties":{"memory":null},"features":{"a":null},"tags":{"t":false}}}}"""));
        Assert.Equal("0\0default=True type=int 400", await fixture.CallAsync("admin.vm.property.Get", "memory", "work"));
        Assert.Equal("0\0b\n", await fixture.CallAsync("admin.vm.feature.List", destination: "work"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.tag.List", destination: "work"));
    }

    [Fact]
    public async Task Qubes_are_made_changed_and_removed_in_one_commit()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("old");
        Assert.Equal("0\0{\"revision\":1}", await ApplyAsync(fixture, """
            {"revision":0,"qubes":{
              "old":{"remove":true},
              "web":{"create":{"class":"AppVM","template":"tmpl","label":"green","pool":"varlibqubes"},"properties":{"netvm":"gate"}},
              "tmpl":{"create":{"class":"TemplateVM","label":"black"},"properties":{"memory":600}},
              "gate":{"create":{"class":"StandaloneVM","label":"red"},"properties":{"provides_network":true}}}}
            """));
        Assert.Equal(1, fixture.Commits);
        string list = await fixture.CallAsync("admin.vm.List");
        Assert.Contains("\nweb class=AppVM", list, StringComparison.Ordinal);
        Assert.DoesNotContain("\nold ", list, StringComparison.Ordinal);
        Assert.Equal("0\0default=True type=int 600", await fixture.CallAsync("admin.vm.property.Get", "memory", "web"));
        Assert.Equal("0\0default=False type=vm gate", await fixture.CallAsync("admin.vm.property.Get", "netvm", "web"));
        Assert.Equal("0\0created-by-dom0\n", await fixture.CallAsync("admin.vm.tag.List", destination: "web"));
        Assert.Contains("create web varlibqubes", fixture.Lifecycle.Asked);
        Assert.Contains("confirm web", fixture.Lifecycle.Asked);
        Assert.Contains("remove old", fixture.Lifecycle.Asked);
    }

    [Fact]
    public async Task A_template_stays_while_disposables_of_it_are_kept_ready()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("dvm");
        await fixture.OnLoopAsync(app =>
        {
            QubesVM template = (QubesVM)app.Domains["dvm"];
            DisposableTemplateProperties.TemplateForDispVMs.Set((AppVM)template, true);
            template.Features.Load(PreloadFeatures.Max, "1");
            DispVM ready = (DispVM)app.Domains.Create(new NewQube
            {
                Class = QubeClasses.DispVM, Name = QubeName.Parse("disp1"), Label = app.Labels.Find("red"), Template = template,
            });
            PreloadList.Add(template, ready);
        });
        const string Document = """{"revision":0,"qubes":{"dvm":{"remove":true}}}""";
        const string Refusal =
            "2\0QubesVMInUseError\0\0/qubes/dvm/remove: Disposables of 'dvm' are kept ready: set its feature preload-dispvm-max to 0 first\0";
        Assert.Equal(Refusal, await ApplyAsync(fixture, Document));
        Assert.Equal(Refusal, await PlanAsync(fixture, Document));
        Assert.Contains("\ndvm class=AppVM", await fixture.CallAsync("admin.vm.List"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_order_within_the_document_means_nothing()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        foreach (string name in (string[])["a", "b", "c"])
        {
            await fixture.AddQubeAsync(name);
        }

        // a -> b -> c, turned around: every single step on its own would be a loop or refused.
        Assert.StartsWith("0\0", await ApplyAsync(fixture, """
            {"revision":0,"qubes":{"a":{"properties":{"netvm":"b"}},"b":{"properties":{"netvm":"c","provides_network":true}},
             "c":{"properties":{"netvm":"","provides_network":true}}}}
            """), StringComparison.Ordinal);
        Assert.Equal("0\0{\"revision\":2}", await ApplyAsync(fixture, """
            {"revision":1,"qubes":{"c":{"properties":{"netvm":"b","provides_network":null}},"b":{"properties":{"netvm":"a"}},
             "a":{"properties":{"netvm":"","provides_network":"yes"}}}}
            """));
        Assert.Equal("0\0default=False type=vm b", await fixture.CallAsync("admin.vm.property.Get", "netvm", "c"));
        Assert.Equal("0\0default=True type=bool False", await fixture.CallAsync("admin.vm.property.Get", "provides_network", "c"));
    }

    [Theory]
    [InlineData("""{"revision":0,"qubes":{"work":{"properties":{"debug":true,"memory":-1}}}}""",
        "QubesPropertyValueError", "/qubes/work/properties/memory: memory must be positive")]
    [InlineData("""{"revision":0,"qubes":{"work":{"properties":{"debug":true,"memory":"x"}}}}""",
        "QubesValueError", "/qubes/work/properties/memory: Failed to parse property value as int")]
    [InlineData("""{"revision":0,"qubes":{"work":{"properties":{"nothing":1}}}}""",
        "QubesNoSuchPropertyError", "/qubes/work/properties/nothing: Invalid property 'nothing' of work")]
    [InlineData("""{"revision":0,"qubes":{"gone":{"tags":{"t":true}}}}""", "QubesVMNotFoundError", "/qubes/gone/tags/t: No such domain: 'gone'")]
    [InlineData("""{"revision":0,"qubes":{"work":{"tags":{"a/b":true}}}}""", "QubesInvalidTagError", "/qubes/work/tags/a~1b: disallowed characters")]
    [InlineData("""{"revision":0,"qubes":{"work":{"features":{"a b":"1"}}}}""",
        "ProtocolError", "/qubes/work/features/a b: feature name contains illegal characters")]
    [InlineData("""{"revision":0,"qubes":{"work":{"features":{"preload-dispvm":"1"}}}}""",
        "PermissionDenied", "/qubes/work/features/preload-dispvm: changing this feature is prohibited by qubes.ext.admin.AdminExtension")]
    [InlineData("""{"revision":0,"qubes":{"dom0":{"remove":true}}}""", "QubesVMInUseError", "/qubes/dom0/remove: 'dom0' cannot be removed")]
    [InlineData("""{"revision":0,"qubes":{"debian":{"remove":true}}}""",
        "QubesVMInUseError", "/qubes/debian/remove: Domain is in use: 'debian';  see 'journalctl -u qubesd -e' in dom0 for details")]
    [InlineData("""{"revision":0,"qubes":{"new":{"create":{"class":"NoVM","label":"red"}}}}""",
        "QubesException", "/qubes/new/create: no such class of qubes: NoVM")]
    [InlineData("""{"revision":0,"qubes":{"new":{"create":{"class":"AppVM","label":"mauve","template":"debian"}}}}""",
        "QubesLabelNotFoundError", "/qubes/new/create: Label does not exist: mauve")]
    [InlineData("""{"revision":0,"qubes":{"work":{"create":{"class":"AppVM","label":"red","template":"debian"}}}}""",
        "QubesVMAlreadyExistsError", "/qubes/work/create: Qube already exists: work")]
    [InlineData("""{"revision":0,"qubes":{"new":{"create":{"class":"AppVM","label":"red","template":"debian","pool":"none"}}}}""",
        "QubesException", "/qubes/new/create: Unknown storage pool none")]
    [InlineData("""{"revision":0,"qubes":{"new":{"create":{"class":"TemplateVM","label":"red","template":"debian"}}}}""",
        "ProtocolError", "/qubes/new/create: TemplateVM cannot be based on template")]
    [InlineData("""{"revision":0,"qubes":{"work":{"properties":{"netvm":"work"}}}}""",
        "QubesValueError", "/qubes/work/properties/netvm: The work qube does not provide network")]
    [InlineData("""{"revision":0,"system":{"properties":{"maxmem":1}}}""",
        "QubesPropertyValueError", "/system/properties/maxmem: property 'maxmem' on Qubes instance cannot be set")]
    [InlineData("""{"revision":5,"qubes":{"work":{"tags":{"t":true}}}}""",
        "QubesConflictError", "The state is at revision 0 by now, the change was made for revision 5")]
    [InlineData("""{"qubes":{}}""", "ProtocolError", "/revision: expected the revision of the state that is changed")]
    public async Task What_one_change_gives_is_the_error_of_all_with_its_place_and_nothing_is_changed(string document, string error, string text)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal($"2\0{error}\0\0{text}\0", await ApplyAsync(fixture, document));
        if (document.StartsWith("{\"revision", StringComparison.Ordinal))
        {
            Assert.Equal($"2\0{error}\0\0{text}\0", await PlanAsync(fixture, document));
        }

        Assert.Equal(0, fixture.Commits);
        Assert.Equal("0\0default=True type=bool False", await fixture.CallAsync("admin.vm.property.Get", "debug", "work"));
    }

    [Theory]
    [InlineData("{", "line 1, byte 2: not a JSON document, or nested too deeply")]
    [InlineData("[]", "/: expected an object")]
    [InlineData("{\"a\":1}", "/a: unknown member, expected revision, system or qubes")]
    [InlineData("{\"revision\":-1}", "/revision: expected a revision number")]
    [InlineData("{\"revision\":\"1\"}", "/revision: expected a revision number")]
    [InlineData("{\"revision\":1,\"revision\":1}", "/revision: is there twice")]
    [InlineData("{\"system\":{\"tags\":{}}}", "/system/tags: unknown member, expected properties or labels")]
    [InlineData("{\"qubes\":{\"\":{}}}", "/qubes/: expected the name of a qube")]
    [InlineData("{\"qubes\":{\"w\":{\"x\":1}}}", "/qubes/w/x: unknown member, expected create, remove, properties, features, tags, devices, firewall or notes")]
    [InlineData("{\"qubes\":{\"w\":{\"remove\":false}}}", "/qubes/w/remove: expected true")]
    [InlineData("{\"qubes\":{\"w\":{\"remove\":true,\"tags\":{\"t\":true}}}}", "/qubes/w: a qube that is removed cannot be changed")]
    [InlineData("{\"qubes\":{\"w\":{\"tags\":{\"t\":1}}}}", "/qubes/w/tags/t: expected true or false")]
    [InlineData("{\"qubes\":{\"w\":{\"properties\":{\"p\":[]}}}}", "/qubes/w/properties/p: expected a text, a number, a boolean or null")]
    [InlineData("{\"qubes\":{\"w\":{\"properties\":{\"p\":\"\\ud800\"}}}}", "/qubes/w/properties/p: not a valid text")]
    [InlineData("{\"qubes\":{\"w\\u0000\":{}}}", "/qubes: the name of a member has characters no name has")]
    [InlineData("{\"qubes\":{\"w\":{\"create\":{\"label\":\"red\"}}}}", "/qubes/w/create: expected a class")]
    [InlineData("{\"qubes\":{\"w\":{\"create\":{\"class\":\"AppVM\"}}}}", "/qubes/w/create: expected a label")]
    [InlineData("{\"qubes\":{\"w\":{\"create\":{\"class\":1}}}}", "/qubes/w/create/class: expected a text")]
    [InlineData("{\"qubes\":{\"w\":{\"create\":{\"size\":\"1\"}}}}", "/qubes/w/create/size: unknown member, expected class, label, template or pool")]
    public async Task A_document_of_another_form_is_refused_with_the_place(string document, string text)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal($"2\0ProtocolError\0\0{text}\0", await PlanAsync(fixture, document));
        Assert.Equal($"2\0ProtocolError\0\0{text}\0", await ApplyAsync(fixture, document));
    }

    [Fact]
    public async Task A_veto_of_one_change_takes_back_all_of_them()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.OnLoopAsync(app => app.Events.On(Model.Events.EmitterClass.QubesVM, "domain-feature-pre-set:vetoed",
            _ => throw Protocol.Errors.QubesErrors.Value("not this one")));
        Assert.Equal("2\0QubesValueError\0\0/qubes/work/features/vetoed: not this one\0", await ApplyAsync(fixture,
            """{"revision":0,"qubes":{"new":{"create":{"class":"StandaloneVM","label":"red"}},"work":{"properties":{"debug":true},"features":{"vetoed":"1"}}}}"""));
        Assert.Equal("0\0default=True type=bool False", await fixture.CallAsync("admin.vm.property.Get", "debug", "work"));
        Assert.DoesNotContain("\nnew ", await fixture.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        Assert.Contains("discard new", fixture.Lifecycle.Asked);
    }

    [Fact]
    public async Task A_full_disk_takes_back_all_of_them()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        fixture.DiskIsFull = true;
        Assert.StartsWith("2\0", await ApplyAsync(fixture,
            """{"revision":0,"qubes":{"new":{"create":{"class":"StandaloneVM","label":"red"}},"work":{"properties":{"debug":true}}}}"""), StringComparison.Ordinal);
        fixture.DiskIsFull = false;
        Assert.Equal("0\0default=True type=bool False", await fixture.CallAsync("admin.vm.property.Get", "debug", "work"));
        Assert.DoesNotContain("\nnew ", await fixture.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        Assert.Contains("discard new", fixture.Lifecycle.Asked);
    }

    [Fact]
    public async Task A_change_made_while_data_is_being_made_is_a_conflict()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        fixture.Lifecycle.Gate = gate.Task;
        Task<string> applying = ApplyAsync(fixture, """{"revision":0,"qubes":{"new":{"create":{"class":"StandaloneVM","label":"red"}}}}""");
        await fixture.Loop.InvokeAsync(async () =>
        {
            while (!fixture.App.Domains.TryGet("new", out _))
            {
                await Task.Yield();
            }
        }).WaitAsync(RawClient.Patience);
        await fixture.CallAsync("admin.vm.tag.Set", "t", "work");
        gate.SetResult();
        Assert.Equal("2\0QubesConflictError\0\0The state is at revision 1 by now, the change was made for revision 0\0", await applying);
        Assert.DoesNotContain("\nnew ", await fixture.CallAsync("admin.vm.List"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_qube_can_do_by_a_document_only_what_single_calls_let_it_do()
    {
        const string denied = "2\0PermissionDenied\0\0/qubes/work/properties/memory: policy does not allow admin.vm.property.Set+memory\0";
        const string document = """{"revision":0,"qubes":{"work":{"properties":{"memory":500}}}}""";
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("mgmt");
        Assert.Equal(denied, await ApplyAsync(fixture, document, "mgmt"));
        fixture.Policy.With("30-test.policy", "admin.vm.property.Set +memory mgmt work ask default_target=dom0\n");
        Assert.Equal(denied, await ApplyAsync(fixture, document, "mgmt"));
        fixture.Policy.With("30-test.policy", "admin.vm.property.Set +memory mgmt work allow\n");
        Assert.Equal(denied, await ApplyAsync(fixture, document, "mgmt"));
        fixture.Policy.With("30-test.policy", "admin.vm.property.Set +memory mgmt work allow target=dom0\n");
        Assert.Equal("0\0{\"revision\":1}", await ApplyAsync(fixture, document, "mgmt"));
        Assert.Equal("2\0PermissionDenied\0\0/qubes/none/tags/t: policy does not allow admin.vm.tag.Set+t\0",
            await ApplyAsync(fixture, """{"revision":1,"qubes":{"none":{"tags":{"t":true}}}}""", "mgmt"));
    }

    [Fact]
    public async Task Another_qube_may_change_what_it_makes_if_policy_says_so_of_its_own()
    {
        const string document = """
            {"revision":0,"qubes":{"mine":{"create":{"class":"StandaloneVM","label":"red"},"tags":{"trusted":true},"features":{"f":"1"}}}}
            """;
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("mgmt");
        const string making = "admin.vm.Create.StandaloneVM * mgmt @adminvm allow\nadmin.vm.tag.Set * mgmt @tag:created-by-mgmt allow target=dom0\n";
        fixture.Policy.With("30-test.policy", making + "admin.vm.feature.Set * mgmt @tag:trusted allow target=dom0\n");
        Assert.Equal("2\0PermissionDenied\0\0/qubes/mine/features/f: policy does not allow admin.vm.feature.Set+f\0", await ApplyAsync(fixture, document, "mgmt"));
        fixture.Policy.With("30-test.policy", making + "admin.vm.feature.Set * mgmt @tag:created-by-mgmt allow target=dom0\n");
        Assert.Equal("0\0{\"revision\":1}", await ApplyAsync(fixture, document, "mgmt"));
        Assert.Equal("0\0created-by-mgmt\ntrusted\n", await fixture.CallAsync("admin.vm.tag.List", destination: "mine"));
    }

    [Fact]
    public async Task A_plan_names_the_rights_that_widen_and_who_gets_a_hold_on_a_qube()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("net");
        fixture.Policy.With("30-test.policy", """
            qubes.Untrusted * @tag:untrusted @anyvm deny
            qubes.Untrusted * work net allow
            qubes.Filecopy * @tag:friends @tag:friends allow
            qubes.Other * work net deny

            """);
        await fixture.CallAsync("admin.vm.tag.Set", "untrusted", "work");
        await fixture.CallAsync("admin.vm.tag.Set", "friends", "net");
        using JsonDocument plan = JsonDocument.Parse((await PlanAsync(fixture, """
            {"qubes":{"work":{"tags":{"friends":true,"untrusted":false},"properties":{"netvm":"net"}},"net":{"properties":{"provides_network":true}}}}
            """))[2..]);
        Assert.Equal(
            [
                """{"service":"qubes.Filecopy","argument":"+","source":"net","target":"work","before":"deny","after":"allow","rule":"/etc/qubes/policy.d/30-test.policy:3"}""",
                """{"service":"qubes.Filecopy","argument":"+","source":"work","target":"net","before":"deny","after":"allow","rule":"/etc/qubes/policy.d/30-test.policy:3"}""",
                """{"service":"qubes.Filecopy","argument":"+","source":"work","target":"work","before":"deny","after":"allow","rule":"/etc/qubes/policy.d/30-test.policy:3"}""",
                """{"service":"qubes.Untrusted","argument":"+","source":"work","target":"net","before":"deny","after":"allow","rule":"/etc/qubes/policy.d/30-test.policy:2"}""",
            ],
            plan.RootElement.GetProperty("rights").EnumerateArray().Select(r => r.GetRawText()).Order(StringComparer.Ordinal));
        Assert.Equal("""[{"kind":"network","qube":"work","before":"","after":"net"}]""", plan.RootElement.GetProperty("holds").GetRawText());
    }

    [Fact]
    public async Task A_plan_tells_another_qube_only_of_what_it_may_see()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("mgmt");
        fixture.Policy.With("30-test.policy", "admin.vm.property.Set * mgmt debian allow target=dom0\n");
        Assert.Contains("\"changes\":[]", await PlanAsync(fixture, """{"qubes":{"debian":{"properties":{"memory":500}}}}""", "mgmt"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_that_changes_nothing_fires_no_event_of_it()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.property.Set", "memory", "work", "500");
        List<string> events = [];
        await fixture.OnLoopAsync(app => app.Events.On(Model.Events.EmitterClass.QubesVM, "property-*", e => events.Add(e.Name)));
        Assert.StartsWith("0\0", await ApplyAsync(fixture, """{"revision":1,"qubes":{"work":{"properties":{"memory":500,"vcpus":null}}}}"""), StringComparison.Ordinal);
        Assert.Empty(events);
    }

    private static Task<string> PlanAsync(AdminFixture fixture, string document, string source = "dom0") =>
        fixture.CallAsync("admin.change.Plan", payload: document, source: source);

    private static Task<string> ApplyAsync(AdminFixture fixture, string document, string source = "dom0") =>
        fixture.CallAsync("admin.change.Apply", payload: document, source: source);
}
