using System.Diagnostics;
using System.Text.Json;
using Qubes.Testing;

namespace Qubes.Daemon.Tests.Extensions;

/// <summary>What a program can do about policy: ask what it says, and add to it while it runs.</summary>
public sealed class PolicyCallTests
{
    private const string File = "15-extension-warden.policy";

    [Fact]
    public async Task What_policy_says_is_told_with_its_place_and_nobody_is_asked()
    {
        using ScratchRoot root = new();
        (string Method, object Params, string Answer)[] cases =
        [
            ("policy.evaluate", Call("work", "debian", "test.Fine", "a+b"),
                """{"result": {"decision": "allow", "default_target": null, "file": "FILE", "line": 2, "reason": "allowed by policy FILE:2", "target": "debian", "targets": [], "user": "ann"}}"""),
            ("policy.evaluate", Call("work", "debian", "test.Fine", "other"),
                """{"result": {"decision": "deny", "default_target": null, "file": "FILE", "line": 3, "reason": "denied by policy FILE:3", "target": null, "targets": [], "user": null}}"""),
            ("policy.evaluate", Call("work", "", "test.Ask", ""),
                """{"result": {"decision": "ask", "default_target": "debian", "file": "FILE", "line": 4, "reason": "asked by policy FILE:4", "target": null, "targets": ["debian"]"""),
            ("policy.evaluate", Call("work", "debian", "test.None", ""), "{\"result\": {\"decision\": \"deny\""),
            ("policy.evaluate", Call("nobody", "debian", "test.Fine", ""), """{"error": {"code": 1, "data": {"type": "QubesVMNotFoundError"}"""),
            ("policy.evaluate", Call("work", "debian", "test Fine", ""), """{"error": {"code": -32602, "message": "a service's name and argument are ASCII letters, digits and '._-'"}}"""),
            ("policy.evaluate", new { target = "debian", service = "test.Fine" }, """{"error": {"code": -32602, "message": "'source' is missing"}}"""),
        ];
        root.AddScripted("warden", Script(cases.Select(c => new[] { c.Method, c.Params })));
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        string file = Path.Combine(root.Paths.PolicyDirectory, "30-test.policy");
        await System.IO.File.WriteAllTextAsync(file,
            "\ntest.Fine +a+b work debian allow user=ann\ntest.Fine * @anyvm @anyvm deny\n"
            + "test.Ask * work @default ask default_target=debian\ntest.Ask * work debian ask\n");
        using JsonDocument results = await ResultsAsync(daemon);
        for (int i = 0; i < cases.Length; i++)
        {
            string answer = results.RootElement[i].GetRawText();
            Assert.True(answer.StartsWith(cases[i].Answer.Replace("FILE", file, StringComparison.Ordinal), StringComparison.Ordinal), answer);
        }

        Assert.StartsWith("0\0work class=AppVM state=Halted", await daemon.CallAsync("admin.vm.List", destination: "work"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_invalid_policy_is_a_refusal_that_says_where()
    {
        using ScratchRoot root = new();
        root.AddScripted("warden", Script([["policy.evaluate", Call("work", "debian", "test.Fine", "")]]));
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        string file = Path.Combine(root.Paths.PolicyDirectory, "30-test.policy");
        await System.IO.File.WriteAllTextAsync(file, "# a line\nnot enough\n");
        using JsonDocument results = await ResultsAsync(daemon);
        JsonElement result = results.RootElement[0].GetProperty("result");
        Assert.Equal("deny", result.GetProperty("decision").GetString());
        Assert.Equal(file, result.GetProperty("file").GetString());
        Assert.Equal(2, result.GetProperty("line").GetInt32());
        Assert.Equal($"error loading policy: {file}:2: wrong number of fields", result.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task What_is_no_rule_is_refused_with_its_line_and_the_former_rules_hold()
    {
        using ScratchRoot root = new();
        (object Rules, string Answer)[] cases =
        [
            ("test.S * work debian allow", """{"result": null}"""),
            ("# fine\ntest.S * work debian allow\ntest.S * work debian perhaps\n", "{\"error\": {\"code\": -32602, \"message\": \"" + File + ":3: "),
            ("test.S * work\n", "{\"error\": {\"code\": -32602, \"message\": \"" + File + ":1: wrong number of fields\"}}"),
            ("\n!include /etc/passwd\n", "{\"error\": {\"code\": -32602, \"message\": \"" + File + ":2: only rules are possible here\"}}"),
            ("test.S * wörk debian allow\n", """{"error": {"code": -32602, "message": "'rules' must be ASCII"}}"""),
            (5, """{"error": {"code": -32602, "message": "'rules' must be a text"}}"""),
        ];
        root.AddScripted("warden", Script(cases.Select(c => new object[] { "policy.set", new { rules = c.Rules } })));
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        Assert.Equal("result=deny", await DecideAsync(daemon));
        using JsonDocument results = await ResultsAsync(daemon);
        for (int i = 0; i < cases.Length; i++)
        {
            Assert.StartsWith(cases[i].Answer, results.RootElement[i].GetRawText(), StringComparison.Ordinal);
        }

        Assert.Contains("result=allow", await DecideAsync(daemon), StringComparison.Ordinal);
        Assert.Equal("test.S * work debian allow\n", await System.IO.File.ReadAllTextAsync(Path.Combine(root.Paths.RuntimePolicyDirectory, File)));
        await daemon.Process.StopAsync();
        Assert.False(System.IO.File.Exists(Path.Combine(root.Paths.RuntimePolicyDirectory, File)));
    }

    [Fact]
    public async Task Rules_can_be_taken_back()
    {
        using ScratchRoot root = new();
        root.AddScripted("warden", Script([["policy.set", new { rules = "test.S * work debian allow" }], ["policy.set", new { rules = "" }], ["policy.set", new { rules = "" }]]));
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        using JsonDocument results = await ResultsAsync(daemon);
        Assert.Equal("""[{"result": null}, {"result": null}, {"result": null}]""", results.RootElement.GetRawText());
        Assert.Equal("result=deny", await DecideAsync(daemon));
        Assert.False(System.IO.File.Exists(Path.Combine(root.Paths.RuntimePolicyDirectory, File)));
    }

    [Theory]
    [InlineData("die", 1)]
    [InlineData("silence", 3)]
    public async Task Rules_end_with_the_run_however_it_ends(string answer, int questions)
    {
        using ScratchRoot root = new();
        root.AddScripted("warden", Script([["policy.set", new { rules = "test.S * work debian allow" }]], answer), "deadline = 100");
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        using (await ResultsAsync(daemon))
        {
            Assert.Contains("result=allow", await DecideAsync(daemon), StringComparison.Ordinal);
        }

        for (int i = 0; i < questions; i++)
        {
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.tag.Set", "fatal", "work"));
        }

        await UntilDeniedAsync(daemon);
    }

    [Fact]
    public async Task What_a_killed_daemon_leaves_the_next_one_removes()
    {
        using ScratchRoot root = new();
        root.AddScripted("warden", Script([["policy.set", new { rules = "test.S * work debian allow" }]]));
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await daemon.CreateQubesAsync();
            using (await ResultsAsync(daemon))
            {
                await daemon.Process.KillAsync();
            }
        }

        Assert.True(System.IO.File.Exists(Path.Combine(root.Paths.RuntimePolicyDirectory, File)));
        System.IO.File.Delete(Path.Combine(root.Paths.ExtensionsDirectory, "warden.conf"));
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            Assert.Equal("result=deny", await DecideAsync(daemon));
            Assert.False(System.IO.File.Exists(Path.Combine(root.Paths.RuntimePolicyDirectory, File)));
        }
    }

    private static object Call(string source, string target, string service, string argument) => new { source, target, service, argument };

    private static object Script(IEnumerable<object[]> calls, string? answer = null) => new
    {
        initialize = new
        {
            subscriptions = new object[]
            {
                new { @event = "domain-tag-add:go" }, new { @event = "admin-permission:admin.vm.tag.Set", mode = "call" },
            },
        },
        wait = "domain-tag-add:go",
        calls,
        answersAfter = answer is null ? null : new Dictionary<string, object> { ["admin-permission:admin.vm.tag.Set"] = answer },
    };

    private static async Task<JsonDocument> ResultsAsync(RunningDaemon daemon)
    {
        using EventStream events = await EventStream.OpenAsync(daemon.Paths.AdminSocket);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.tag.Set", "go", "work"));
        string seen = await events.ReadUntilAsync("]\0\0");
        return JsonDocument.Parse(seen[(seen.IndexOf("results\0", StringComparison.Ordinal) + "results\0".Length)..].TrimEnd('\0'));
    }

    private static async Task UntilDeniedAsync(RunningDaemon daemon)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (await DecideAsync(daemon) != "result=deny")
        {
            Assert.True(watch.Elapsed < QubesdProcess.Patience, "the rule still holds");
            await Task.Delay(20);
        }
    }

    private static Task<string> DecideAsync(RunningDaemon daemon) =>
        RawClient.CallAsync(daemon.Paths.PolicySocket, "source=work\nintended_target=debian\nservice_and_arg=test.S+\n\n");
}
