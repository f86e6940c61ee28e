using System.Text.Json;

namespace Qubes.Daemon.Tests.Extensions;

/// <summary>What a program can learn from the hypervisor, say in the log and ask of other programs.</summary>
public sealed class HostCallTests
{
    [Fact]
    public async Task A_running_domain_is_described_and_a_line_logged()
    {
        using ScratchRoot root = new();
        (string Method, object Params, string Answer)[] cases =
        [
            ("domain.get", new { qube = "work" }, "{\"result\": {\"disks\": [], \"id\": "),
            ("domain.get", new { qube = "debian" }, """{"error": {"code": 1, "data": {"type": "QubesVMNotRunningError"}"""),
            ("domain.get", new { qube = "dom0" }, """{"error": {"code": 1, "data": {"type": "QubesException"}, "message": "'dom0' is no domain of the hypervisor"}}"""),
            ("log", new { text = "two\nlines", qube = "work", level = "warning" }, """{"result": null}"""),
            ("log", new { text = "x", level = "loud" }, """{"error": {"code": -32602, "message": "'level' must be info, warning or error"}}"""),
            ("log", new { text = "x", qube = "nobody" }, """{"error": {"code": 1, "data": {"type": "QubesVMNotFoundError"}"""),
            ("service.run", new { qube = "work", service = "a", stubdom = true }, """{"error": {"code": 1, "data": {"type": "QubesVMNotFoundError"}, "message": "No such domain: 'work-dm'"}}"""),
            ("service.run", new { qube = "dom0", service = "a", user = "root" }, """{"error": {"code": -32602, "message": "services of dom0 run as the daemon's user"}}"""),
        ];
        root.AddScripted("asker", new
        {
            initialize = new { subscriptions = new[] { new { @event = "domain-tag-add:go" } } },
            wait = "domain-tag-add:go",
            calls = cases.Select(c => new[] { c.Method, c.Params }),
        });
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        using EventStream events = await EventStream.OpenAsync(daemon.Paths.AdminSocket);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.tag.Set", "go", "work"));
        string seen = await events.ReadUntilAsync("]\0\0");
        using JsonDocument results = JsonDocument.Parse(seen[(seen.IndexOf("results\0", StringComparison.Ordinal) + "results\0".Length)..].TrimEnd('\0'));
        for (int i = 0; i < cases.Length; i++)
        {
            Assert.StartsWith(cases[i].Answer, results.RootElement[i].GetRawText(), StringComparison.Ordinal);
        }

        JsonElement domain = results.RootElement[0].GetProperty("result");
        Assert.Contains("<name>work</name>", domain.GetProperty("xml").GetString(), StringComparison.Ordinal);
        Assert.StartsWith($"0\0default=True type=int {domain.GetProperty("id").GetInt32()}",
            await daemon.CallAsync("admin.vm.property.Get", "xid", "work"), StringComparison.Ordinal);
        await daemon.Process.StopAsync();
        Assert.Contains(@"extension asker: work: two\x0alines", await daemon.Process.ReadLogAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_can_be_asked_about_the_event_of_another_one()
    {
        using ScratchRoot root = new();
        root.AddScripted("judge", new
        {
            initialize = new { subscriptions = new[] { new { @event = "ext-plan:*", mode = "call", subject = "work" } } },
            answers = new Dictionary<string, object>
            {
                ["ext-plan:bad"] = new { error = new { code = 1, message = "rather not", data = new { type = "QubesVMError" } } },
            },
        });
        root.AddScripted("planner", new
        {
            initialize = new { subscriptions = new[] { new { @event = "domain-tag-add:go" } } },
            wait = "domain-tag-add:go",
            calls = new object[]
            {
                new object[] { "event.fire", new { @event = "ext-plan:bad", subject = "work", wait = true } },
                new object[] { "event.fire", new { @event = "ext-plan:bad", subject = "work" } },
                new object[] { "event.fire", new { @event = "ext-plan:bad", wait = true } },
                new object[] { "event.fire", new { @event = "ext-plan:good", subject = "work", wait = true } },
            },
        });
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        using EventStream events = await EventStream.OpenAsync(daemon.Paths.AdminSocket);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.tag.Set", "go", "work"));
        Assert.Contains(
            """[{"error": {"code": 1, "data": {"type": "QubesVMError"}, "message": "rather not"}}, {"result": null}, {"result": null}, {"result": null}]""",
            await events.ReadUntilAsync("]\0\0"), StringComparison.Ordinal);
    }
}
