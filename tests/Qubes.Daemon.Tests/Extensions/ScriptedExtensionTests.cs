using System.Text.Json;

namespace Qubes.Daemon.Tests.Extensions;

/// <summary>Every part of the extension protocol, with a program that does as it is told.</summary>
public sealed class ScriptedExtensionTests
{
    [Fact]
    public async Task Permission_is_asked_and_the_refusal_reaches_the_caller()
    {
        using ScratchRoot root = new();
        root.AddScripted("judge", new
        {
            initialize = new
            {
                subscriptions = new[]
                {
                    new { @event = "admin-permission:admin.vm.property.Set", mode = "call" },
                    new { @event = "admin-permission:admin.vm.feature.Get", mode = "call" },
                },
            },
            answers = new Dictionary<string, object>
            {
                ["admin-permission:admin.vm.property.Set"] = new { error = new { code = 1, message = "not\ntoday" } },
                ["admin-permission:admin.vm.feature.Get"] = new { result = (object?)null },
            },
        });
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        Assert.Equal("2\0PermissionDenied\0\0not today\0", await daemon.CallAsync("admin.vm.property.Set", "memory", "work", "500"));
        Assert.Equal("0\0default=True type=int 400", await daemon.CallAsync("admin.vm.property.Get", "memory", "work"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.feature.Set", "f", "work", "1"));
        Assert.Equal("0\01", await daemon.CallAsync("admin.vm.feature.Get", "f", "work"));
    }

    [Fact]
    public async Task An_answer_can_limit_what_a_list_shows()
    {
        using ScratchRoot root = new();
        root.AddScripted("curtain", new
        {
            initialize = new
            {
                subscriptions = new[]
                {
                    new { @event = "admin-permission:admin.vm.List", mode = "call" },
                    new { @event = "admin-permission:admin.vm.tag.List", mode = "call" },
                },
            },
            answers = new Dictionary<string, object>
            {
                ["admin-permission:admin.vm.List"] = new { result = new { hide = new[] { "work" } } },
                ["admin-permission:admin.vm.tag.List"] = new { result = new { only = new[] { "seen" } } },
            },
        });
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        string list = await daemon.CallAsync("admin.vm.List");
        Assert.Contains("debian ", list, StringComparison.Ordinal);
        Assert.DoesNotContain("work ", list, StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.tag.Set", "seen", "work"));
        Assert.Equal("0\0seen\n", await daemon.CallAsync("admin.vm.tag.List", destination: "work"));
    }

    [Fact]
    public async Task It_hears_what_it_subscribed_to_after_the_change_is_made()
    {
        using ScratchRoot root = new();
        root.AddScripted("ear", new
        {
            tell = true,
            initialize = new
            {
                subscriptions = new[]
                {
                    new { @event = "property-set:memory", subject = "work" },
                    new { @event = "domain-tag-add:*", subject = "work" },
                },
            },
        });
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        using EventStream events = await EventStream.OpenAsync(daemon.Paths.AdminSocket);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.property.Set", "memory", "debian", "500"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.property.Set", "memory", "work", "500"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.property.Set", "memory", "work", "501"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.tag.Set", "t", "work"));
        string seen = await events.ReadUntilAsync("ext-told:domain-tag-add:t\0json\0{\"tag\": \"t\"}\0\0");
        Assert.Contains("1\0work\0ext-told:property-set:memory\0json\0{\"name\": \"memory\", \"newvalue\": 501, \"oldvalue\": 500}\0\0", seen, StringComparison.Ordinal);
        Assert.DoesNotContain("1\0debian\0ext-told", seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_requests_are_carried_out_or_answered_with_what_is_wrong()
    {
        using ScratchRoot root = new();
        (string Method, object Params, string Answer)[] cases =
        [
            ("no.such", new { }, """{"error": {"code": -32601, "message": "no such method"}}"""),
            ("qube.get", new { }, """{"error": {"code": -32602, "message": "'qube' is missing"}}"""),
            ("qube.get", new { qube = 5 }, """{"error": {"code": -32602, "message": "'qube' must be a text"}}"""),
            ("qube.get", new { qube = "nobody" }, """{"error": {"code": 1, "data": {"type": "QubesVMNotFoundError"}, "message": "No such domain: 'nobody'"}}"""),
            ("property.get", new { property = "default_kernel" }, "{\"result\": {\"default\": "),
            ("property.get", new { property = "x" }, """{"error": {"code": 1, "data": {"type": "QubesNoSuchPropertyError"}, "message": "Invalid property 'x' of Qubes"}}"""),
            ("property.get", new { qube = "dom0", property = "klass" }, """{"result": {"default": true, "type": "str", "value": "AdminVM"}}"""),
            ("qube.feature", new { qube = "dom0", feature = "none" }, """{"result": null}"""),
            ("qube.feature", new { qube = "dom0", feature = "none", lookup = "up" }, """{"error": {"code": -32602, "message": "'lookup' must be own, template, netvm, adminvm or template-adminvm"}}"""),
            ("admin.call", new { method = "admin.vm.feature.Set", argument = "mine", payload = "50%" }, """{"result": ""}"""),
            ("qube.feature", new { qube = "dom0", feature = "mine" }, """{"result": "50%"}"""),
            ("admin.call", new { method = "admin.vm.feature.Get", argument = "100%" }, """{"error": {"code": 1, "data": {"type": "QubesFeatureNotFoundError"}, "message": "Feature not set for domain dom0: 100%"}}"""),
            ("admin.call", new { method = "admin.no" }, """{"error": {"code": 1, "data": {"type": "ProtocolError"}, "message": "no such method: 'admin.no'"}}"""),
            ("admin.call", new { method = "admin vm" }, """{"error": {"code": -32602, "message": "a part of the call has a character that cannot be sent"}}"""),
            ("admin.call", new { method = "admin.Events" }, """{"error": {"code": -32602, "message": "this call answers with events: subscribe to them instead"}}"""),
            ("event.fire", new { @event = "domain-start" }, """{"error": {"code": -32602, "message": "an extension's event has a printable ASCII name that begins with 'ext-'"}}"""),
            ("event.fire", new { @event = "ext-a", arguments = new Dictionary<string, string> { [""] = "x" } }, """{"error": {"code": -32602, "message": "an argument's name is ASCII letters, digits and '_'"}}"""),
            ("subscribe", new { subscriptions = new[] { new { @event = "property-pre-set:memory", mode = "call" } } }, "{\"error\": {\"code\": -32602, \"message\": \"event 'property-pre-set:memory': the daemon does not wait at this event"),
            ("subscribe", new { subscriptions = new[] { new { @event = "domain-*", mode = "call" } } }, "{\"error\": {\"code\": -32602"),
            ("subscribe", new { subscriptions = new[] { new { @event = "admin-permission:*" } } }, "{\"error\": {\"code\": -32602"),
            ("subscribe", new { subscriptions = new[] { new { @event = "pool-pre-delete", mode = "call" } } }, """{"result": null}"""),
            ("rules.set", new { rules = new[] { new { @event = "property-set:memory", deny = "late" } } }, "{\"error\": {\"code\": -32602"),
            ("rules.set", new { rules = new[] { new { @event = "property-pre-set:memory", subject = "work", when = new { newvalue = "9*" }, deny = "too much", type = "QubesValueError" } } }, """{"result": null}"""),
            ("devices.set", new { @class = "lamp", qube = "dom0", devices = Array.Empty<object>() }, """{"error": {"code": -32602, "message": "'lamp' is not among the device_classes of this extension"}}"""),
            ("devices.set", new { @class = "torch", qube = "dom0", devices = new[] { new { port = "a/b" } } }, """{"error": {"code": -32602, "message": "a port is ASCII letters, digits and '-_.'"}}"""),
            ("devices.set", new { @class = "torch", qube = "dom0", devices = new[] { new { port = "a" }, new { port = "a" } } }, """{"error": {"code": -32602, "message": "two devices at port 'a'"}}"""),
            ("qubesdb.read", new { qube = "dom0", path = "x" }, """{"error": {"code": 1, "data": {"type": "QubesValueError"}, "message": "Invalid QubesDB path: x"}}"""),
            ("qubesdb.watch", new { qube = "dom0", path = "/x" }, """{"result": null}"""),
            ("service.run", new { qube = "dom0", service = "a;b" }, """{"error": {"code": -32602, "message": "a service's name is ASCII letters, digits and '._-+'"}}"""),
            ("app.qubes", new { }, "{\"result\": [{\"class\": \"AdminVM\", \"label\": \"black\", \"name\": \"dom0\", \"state\": \"Running\""),
        ];
        root.AddScripted("asker", new
        {
            initialize = new { device_classes = new[] { "torch" }, subscriptions = new[] { new { @event = "domain-tag-add:go" } } },
            wait = "domain-tag-add:go",
            calls = cases.Select(c => new[] { c.Method, c.Params }),
        });
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        using EventStream events = await EventStream.OpenAsync(daemon.Paths.AdminSocket);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.tag.Set", "go", "work"));
        string seen = await events.ReadUntilAsync("]\0\0");
        string json = seen[(seen.IndexOf("results\0", StringComparison.Ordinal) + "results\0".Length)..].TrimEnd('\0');
        using JsonDocument results = JsonDocument.Parse(json);
        for (int i = 0; i < cases.Length; i++)
        {
            Assert.StartsWith(cases[i].Answer, results.RootElement[i].GetRawText(), StringComparison.Ordinal);
        }

        Assert.Equal("2\0QubesValueError\0\0too much\0", await daemon.CallAsync("admin.vm.property.Set", "memory", "work", "900"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.property.Set", "memory", "work", "500"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.property.Set", "memory", "debian", "900"));
    }

    [Fact]
    public async Task An_extension_is_not_asked_about_its_own_calls()
    {
        using ScratchRoot root = new();
        root.AddScripted("self", new
        {
            initialize = new
            {
                subscriptions = new object[]
                {
                    new { @event = "admin-permission:admin.vm.tag.*", mode = "call" }, new { @event = "domain-feature-set:go" },
                },
            },
            answers = new Dictionary<string, object> { ["admin-permission:admin.vm.tag.Set"] = new { error = new { code = 1, message = "no" } } },
            wait = "domain-feature-set:go",
            calls = new object[] { new object[] { "admin.call", new { method = "admin.vm.tag.Set", argument = "own", destination = "work" } } },
        });
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        using EventStream events = await EventStream.OpenAsync(daemon.Paths.AdminSocket);
        Assert.Equal("2\0PermissionDenied\0\0no\0", await daemon.CallAsync("admin.vm.tag.Set", "other", "work"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.feature.Set", "go", "work", "1"));
        Assert.Contains("ext-done\0results\0[{\"result\": \"\"}]\0", await events.ReadUntilAsync("]\0\0"), StringComparison.Ordinal);
        Assert.Equal("0\01", await daemon.CallAsync("admin.vm.tag.Get", "own", "work"));
    }
}
