using Qubes.Model.Events;

namespace Qubes.Admin.Tests.Calls;

/// <summary>Device assignments and labels in change documents, and their undo.</summary>
public sealed class ChangeDeviceCallTests
{
    private const string Assigning =
        """{"revision":REV,"qubes":{"work":{"devices":{"usb":{"sys-usb:1-1:dead:beef":{"mode":"auto-attach","options":{"a":"1","b":true}},"sys-usb:1-2":{"mode":"required"}}}}}}""";

    [Fact]
    public async Task Devices_are_assigned_changed_and_unassigned()
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync("usb");
        AdminFixture fixture = devices.Fixture;
        List<string> events = await RecordAsync(fixture);
        Assert.Equal("0\0{\"revision\":1}", await ApplyAsync(fixture, Assigning.Replace("REV", "0", StringComparison.Ordinal)));
        string assigned = await fixture.CallAsync("admin.vm.device.usb.Assigned", destination: "work");
        Assert.Contains("sys-usb+1-1:dead:beef ", assigned, StringComparison.Ordinal);
        Assert.Contains("mode='auto-attach'", assigned, StringComparison.Ordinal);
        Assert.Contains("_a='1' _b='True'", assigned, StringComparison.Ordinal);
        Assert.Contains("sys-usb+1-2:* ", assigned, StringComparison.Ordinal);
        Assert.Equal(["device-pre-assign:usb", "device-assign:usb", "device-pre-assign:usb", "device-assign:usb"], events);
        events.Clear();

        // What is so already is left alone, a mode is changed, other options need a new assignment.
        Assert.Equal("0\0{\"revision\":2}", await ApplyAsync(fixture, """
            {"revision":1,"qubes":{"work":{"devices":{"usb":{"sys-usb:1-1:dead:beef":{"mode":"ask-to-attach","options":{"b":"True","a":1}},"sys-usb:1-2":{"mode":"required"}}}}}}
            """));
        Assert.Equal(["device-pre-assign:usb", "device-assignment-changed:usb"], events);
        events.Clear();
        Assert.Equal("0\0{\"revision\":3}", await ApplyAsync(fixture, """
            {"revision":2,"qubes":{"work":{"devices":{"usb":{"sys-usb:1-1:dead:beef":{"mode":"ask-to-attach"},"sys-usb:1-2:*":null,"sys-usb:1-3":null}}}}}
            """));
        Assert.Equal(["device-unassign:usb", "device-pre-assign:usb", "device-assign:usb", "device-unassign:usb"], events);
        assigned = await fixture.CallAsync("admin.vm.device.usb.Assigned", destination: "work");
        Assert.Contains("mode='ask-to-attach'", assigned, StringComparison.Ordinal);
        Assert.DoesNotContain("_a=", assigned, StringComparison.Ordinal);
        Assert.DoesNotContain("1-2", assigned, StringComparison.Ordinal);
        Assert.Equal(3, fixture.Commits);
    }

    [Fact]
    public async Task A_plan_tells_assignments_that_a_restart_is_needed_and_who_gets_a_hold()
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync("usb");
        AdminFixture fixture = devices.Fixture;
        string reply = await fixture.CallAsync("admin.change.Plan", payload: """{"qubes":{"work":{"devices":{"usb":{"sys-usb:1-2":{"mode":"required"}}}}}}""");
        Assert.Equal("0\0{\"revision\":0,\"changes\":["
            + """{"qube":"work","part":"devices","before":[],"after":[{"class":"usb","backend":"sys-usb","port":"1-2","device_id":"*","mode":"required","options":{}}]}],"""
            + """ "restart":[{"qube":"work","because":["devices"]}],"rights":[],"rights_complete":true,"holds":[{"kind":"device","qube":"work","before":"","after":"sys-usb"}]}"""
            .TrimStart(), reply);
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.device.usb.Assigned", destination: "work"));
    }

    [Fact]
    public async Task Nothing_is_done_if_an_assignment_is_refused_or_cannot_be_saved()
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync("usb");
        AdminFixture fixture = devices.Fixture;
        const string document = """{"revision":0,"qubes":{"work":{"tags":{"t":true},"devices":{"usb":{"sys-usb:1-2":{"mode":"auto-attach"}}}}}}""";
        fixture.DiskIsFull = true;
        Assert.StartsWith("2\0", await ApplyAsync(fixture, document), StringComparison.Ordinal);
        fixture.DiskIsFull = false;
        await fixture.OnLoopAsync(app => app.Events.On(EmitterClass.LocalVM, "device-pre-assign:usb",
            _ => throw Protocol.Errors.QubesErrors.General("no such thing here")));
        Assert.Equal("2\0QubesException\0\0/qubes/work/devices/usb/sys-usb:1-2: no such thing here\0", await ApplyAsync(fixture, document.Replace(":0", ":1", StringComparison.Ordinal)));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.device.usb.Assigned", destination: "work"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.tag.List", destination: "work"));
    }

    [Theory]
    [InlineData("\"usb\":{\"sys-usb:1-1\":{\"mode\":\"manual\"}}", "QubesValueError", "/qubes/work/devices/usb/sys-usb:1-1: Only devices that attach automatically can be assigned")]
    [InlineData("\"usb\":{\"sys-usb:1-1\":{\"mode\":\"x\"}}", "ProtocolError", "/qubes/work/devices/usb/sys-usb:1-1: 'x' is not a valid AssignmentMode")]
    [InlineData("\"usb\":{\"gone:1-1\":{\"mode\":\"required\"}}", "QubesVMNotFoundError", "/qubes/work/devices/usb/gone:1-1: No such domain: 'gone'")]
    [InlineData("\"usb\":{\"*:1-1\":{\"mode\":\"required\"}}", "ProtocolError", "/qubes/work/devices/usb/*:1-1: Cannot determine backend domain")]
    [InlineData("\"usb\":{\"sys-usb:1-1\":{\"mode\":\"required\",\"options\":{\"a\":\"\\n\"}}}", "ProtocolError", "/qubes/work/devices/usb/sys-usb:1-1: Invalid chars in property value: {'\\n'}")]
    [InlineData("\"usb\":{\"sys-usb:1-1\":{}}", "ProtocolError", "/qubes/work/devices/usb/sys-usb:1-1: expected a mode")]
    [InlineData("\"usb\":{\"sys-usb:1-1\":{\"mode\":\"required\",\"x\":1}}", "ProtocolError", "/qubes/work/devices/usb/sys-usb:1-1/x: unknown member, expected mode or options")]
    [InlineData("\"usb\":{\"sys-usb:1-1\":{\"mode\":\"required\",\"options\":{\"a\":null}}}", "ProtocolError", "/qubes/work/devices/usb/sys-usb:1-1/options/a: expected a value")]
    [InlineData("\"usb\":{\"sys-usb\":{\"mode\":\"required\"}}", "ProtocolError", "/qubes/work/devices/usb/sys-usb: expected BACKEND:PORT or BACKEND:PORT:DEVICEID")]
    [InlineData("\"usb\":{\"sys usb:1\":null}", "ProtocolError", "/qubes/work/devices/usb/sys usb:1: expected BACKEND:PORT or BACKEND:PORT:DEVICEID")]
    [InlineData("\"U\":{\"sys-usb:1-1\":null}", "ProtocolError", "/qubes/work/devices/U: not the name of a device class")]
    [InlineData("\"none\":{\"sys-usb:1-1\":null}", "QubesException", "/qubes/work/devices/none/sys-usb:1-1: no such class of devices: none")]
    [InlineData("\"usb\":{\"sys-usb:1\":null,\"sys-usb:1:*\":{\"mode\":\"required\"}}", "QubesValueError", "/qubes/work/devices/usb/sys-usb:1: does not last, another change of the document has an effect on it")]
    public async Task What_cannot_be_assigned_is_refused_with_its_place(string member, string error, string text)
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync("usb");
        Assert.Equal($"2\0{error}\0\0{text}\0", await ApplyAsync(devices.Fixture, "{\"revision\":0,\"qubes\":{\"work\":{\"devices\":{" + member + "}}}}"));
    }

    [Fact]
    public async Task Each_assignment_takes_the_rights_of_the_calls_it_stands_for()
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync("usb");
        AdminFixture fixture = devices.Fixture;
        await fixture.AddQubeAsync("mgmt");
        const string document = """{"revision":REV,"qubes":{"work":{"devices":{"usb":{"sys-usb:1-2":{"mode":"MODE","options":OPTIONS}}}}}}""";
        string denied = "2\0PermissionDenied\0\0/qubes/work/devices/usb/sys-usb:1-2: policy does not allow admin.vm.device.usb.CALL+sys-usb+1-2+_\0";
        Assert.Equal(denied.Replace("CALL", "Assign", StringComparison.Ordinal), await ApplyAsync("0", "required", "{}"));
        Allow("Assign");
        Assert.Equal("0\0{\"revision\":1}", await ApplyAsync("0", "required", "{}"));
        Assert.Equal(denied.Replace("CALL", "Set.assignment", StringComparison.Ordinal), await ApplyAsync("1", "auto-attach", "{}"));
        Allow("Set.assignment");
        Assert.Equal("0\0{\"revision\":2}", await ApplyAsync("1", "auto-attach", "{}"));
        Allow("Assign");
        Assert.Equal(denied.Replace("CALL", "Unassign", StringComparison.Ordinal), await ApplyAsync("2", "auto-attach", "{\"o\":\"1\"}"));
        Allow("Assign", "Unassign");
        Assert.Equal("0\0{\"revision\":3}", await ApplyAsync("2", "auto-attach", "{\"o\":\"1\"}"));

        Task<string> ApplyAsync(string revision, string mode, string options) => fixture.CallAsync("admin.change.Apply", source: "mgmt", payload: document
            .Replace("REV", revision, StringComparison.Ordinal).Replace("MODE", mode, StringComparison.Ordinal).Replace("OPTIONS", options, StringComparison.Ordinal));

        void Allow(params string[] calls) =>
            fixture.Policy.With("30-test.policy", string.Concat(calls.Select(call => $"admin.vm.device.usb.{call} * mgmt work allow target=dom0\n")));
    }

    [Fact]
    public async Task Assignments_are_undone_with_mode_and_options()
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync("usb");
        AdminFixture fixture = devices.Fixture;
        await ApplyAsync(fixture, Assigning.Replace("REV", "0", StringComparison.Ordinal));
        string before = await fixture.CallAsync("admin.vm.device.usb.Assigned", destination: "work");
        await fixture.CallAsync("admin.vm.device.usb.Unassign", "sys-usb+1-1+dead+beef", "work");
        await fixture.CallAsync("admin.vm.device.usb.Set.assignment", "sys-usb+1-2", "work", "auto-attach");
        Assert.Equal("0\0{\"revision\":4}", await fixture.CallAsync("admin.history.Undo", "2"));
        Assert.Equal("0\0{\"revision\":5}", await fixture.CallAsync("admin.history.Undo", "3"));
        Assert.Equal(before, await fixture.CallAsync("admin.vm.device.usb.Assigned", destination: "work"));
        Assert.Equal("0\0{\"revision\":6}", await fixture.CallAsync("admin.history.Undo", "1"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.device.usb.Assigned", destination: "work"));
        await fixture.CallAsync("admin.vm.device.usb.Assign", "sys-usb+1-2", "work", "mode='required'");
        await fixture.CallAsync("admin.vm.device.usb.Set.assignment", "sys-usb+1-2", "work", "auto-attach");
        Assert.Equal("2\0QubesConflictError\0\0Revision 7 cannot be undone: device usb sys-usb:1-2:* of work was changed since, from 'required' to 'auto-attach'\0",
            await fixture.CallAsync("admin.history.Undo", "7"));
    }

    [Fact]
    public async Task Labels_are_made_for_the_qubes_of_the_document_and_removed_with_the_last_one()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0{\"revision\":1}", await ApplyAsync(fixture, """
            {"revision":0,"qubes":{"new":{"create":{"class":"StandaloneVM","label":"teal"}}},"system":{"labels":{"teal":"0x008080"}}}
            """));
        Assert.Equal("0\00x008080", await fixture.CallAsync("admin.label.Get", "teal"));
        Assert.Equal("0\0default=False type=label teal", await fixture.CallAsync("admin.vm.property.Get", "label", "new"));
        Assert.Equal("2\0QubesLabelInUseError\0\0/system/labels/teal: Label is still in use: teal\0", await ApplyAsync(fixture, """{"revision":1,"system":{"labels":{"teal":null}}}"""));
        Assert.Equal("2\0QubesLabelInUseError\0\0/system/labels/teal: Label already exists: teal\0",
            await ApplyAsync(fixture, """{"revision":1,"system":{"labels":{"teal":"0x000001"}}}"""));
        Assert.Equal("2\0ProtocolError\0\0/system/labels/red: Can only remove custom labels\0", await ApplyAsync(fixture, """{"revision":1,"system":{"labels":{"red":null}}}"""));
        Assert.Equal("0\0{\"revision\":2}", await ApplyAsync(fixture, """
            {"revision":1,"system":{"labels":{"teal":null,"none":null}},"qubes":{"new":{"properties":{"label":"red"}}}}
            """));
        Assert.StartsWith("2\0QubesLabelNotFoundError", await fixture.CallAsync("admin.label.Get", "teal"), StringComparison.Ordinal);
        Assert.Equal("0\0{\"revision\":3}", await fixture.CallAsync("admin.history.Undo", "2"));
        Assert.Equal("0\0default=False type=label teal", await fixture.CallAsync("admin.vm.property.Get", "label", "new"));
    }

    [Fact]
    public async Task What_is_still_being_made_does_not_exist_for_others()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string before = await fixture.CallAsync("admin.state.Get");
        TaskCompletionSource made = new();
        fixture.Lifecycle.Gate = made.Task;
        Task<string> applying = ApplyAsync(fixture, """
            {"revision":0,"qubes":{"new":{"create":{"class":"StandaloneVM","label":"teal"}}},"system":{"labels":{"teal":"0x008080"}}}
            """);
        while (!await fixture.OnLoopAsync(app => app.Domains.TryGet("new", out _)))
        {
            await Task.Yield();
        }

        await fixture.OnLoopAsync(app => ((Model.Classes.QubesVM)app.Domains["work"]).Runtime.State = Model.Classes.PowerState.Running);
        string state = await fixture.CallAsync("admin.state.Get");
        Assert.NotEqual(before, state);
        Assert.DoesNotContain("\"new\":{", state, StringComparison.Ordinal);
        Assert.DoesNotContain("teal", state, StringComparison.Ordinal);
        Assert.DoesNotContain("teal", await fixture.CallAsync("admin.label.List"), StringComparison.Ordinal);
        Assert.Equal("2\0QubesLabelNotFoundError\0\0Label does not exist: teal\0", await fixture.CallAsync("admin.label.Get", "teal"));
        Assert.StartsWith("2\0", await fixture.CallAsync("admin.vm.property.Set", "label", "work", "teal"), StringComparison.Ordinal);
        Assert.Equal("2\0QubesLabelInUseError\0\0Label already exists: teal\0", await fixture.CallAsync("admin.label.Create", "teal", payload: "0x000001"));
        made.SetResult();
        Assert.Equal("0\0{\"revision\":1}", await applying);
        state = await fixture.CallAsync("admin.state.Get");
        Assert.Contains("\"new\":{", state, StringComparison.Ordinal);
        Assert.Contains("\"teal\":{", state, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_label_that_was_made_or_removed_is_undone_unless_a_qube_has_it()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.label.Create", "teal", payload: "0x008080");
        await fixture.CallAsync("admin.vm.property.Set", "label", "work", "teal");
        Assert.Equal("2\0QubesLabelInUseError\0\0label teal of the system: Label is still in use: teal\0", await fixture.CallAsync("admin.history.Undo", "1"));
        await fixture.CallAsync("admin.vm.property.Set", "label", "work", "red");
        Assert.Equal("0\0{\"revision\":4}", await fixture.CallAsync("admin.history.Undo", "1"));
        Assert.DoesNotContain("teal", await fixture.CallAsync("admin.label.List"), StringComparison.Ordinal);
        Assert.Equal("0\0{\"revision\":5}", await fixture.CallAsync("admin.history.Undo", "4"));
        Assert.Equal("0\00x008080", await fixture.CallAsync("admin.label.Get", "teal"));
    }

    private static async Task<List<string>> RecordAsync(AdminFixture fixture)
    {
        List<string> events = [];
        await fixture.OnLoopAsync(app => app.Events.On(EmitterClass.LocalVM, "device-*", e => events.Add(e.Name)));
        return events;
    }

    private static Task<string> ApplyAsync(AdminFixture fixture, string document) => fixture.CallAsync("admin.change.Apply", payload: document);
}
