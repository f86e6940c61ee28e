using System.Text.Json;
using Qubes.Admin.State;
using Qubes.Testing;

namespace Qubes.Admin.Tests.Calls;

public sealed class StateCallTests
{
    private static readonly string Watcher = string.Concat(
        ((string[])["List", "property.GetAll", "feature.List", "feature.Get", "tag.List"])
        .Concat(Methods.AdminMethods.Table.All.Where(m => m.Name.EndsWith(".Assigned", StringComparison.Ordinal)).Select(m => m.Name["admin.vm.".Length..]))
        .Select(call => $"admin.vm.{call} * watcher work allow target=dom0\n"));

    [Fact]
    public async Task Admin_state_Get()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.feature.Set", "a", "work", "1 \"\\");
        await fixture.CallAsync("admin.vm.tag.Set", "t", "work");
        string reply = await fixture.CallAsync("admin.state.Get");
        Assert.StartsWith("0\0{\"format\":1,\"revision\":", reply, StringComparison.Ordinal);
        using JsonDocument document = JsonDocument.Parse(reply[2..]);
        JsonElement root = document.RootElement;
        Assert.Matches("^[0-9a-f]{8}\\.[0-9]+$", root.GetProperty("position").GetString());
        Assert.Equal(2, root.GetProperty("revision").GetInt64());
        Assert.Equal(["dom0", "debian", "work"], root.GetProperty("qubes").EnumerateObject().Select(q => q.Name).OrderBy(n => n != "dom0"));
        JsonElement work = root.GetProperty("qubes").GetProperty("work");
        Assert.Equal("AppVM", work.GetProperty("class").GetString());
        Assert.Equal("Halted", work.GetProperty("power_state").GetString());
        Assert.Equal("1 \"\\", work.GetProperty("features").GetProperty("a").GetString());
        Assert.Equal("""["t"]""", work.GetProperty("tags").GetRawText());
        Assert.Equal("[]", work.GetProperty("devices").GetRawText());
        Assert.Equal("[]", work.GetProperty("attached").GetRawText());
        Assert.Equal("""["action=accept"]""", work.GetProperty("firewall").GetRawText());
        Assert.Equal("", work.GetProperty("notes").GetString());
        Assert.Equal("null", root.GetProperty("qubes").GetProperty("dom0").GetProperty("firewall").GetRawText());
        Assert.Equal("null", root.GetProperty("qubes").GetProperty("dom0").GetProperty("notes").GetRawText());
        Assert.Equal("""{"type":"int","value":"400","default":true}""", work.GetProperty("properties").GetProperty("memory").GetRawText());
        Assert.Equal("""{"type":"vm","value":"debian","default":false}""", work.GetProperty("properties").GetProperty("template").GetRawText());
        Assert.Equal("""{"index":1,"color":"0xcc0000"}""", root.GetProperty("system").GetProperty("labels").GetProperty("red").GetRawText());
        Assert.Equal("""{"type":"vm","value":null,"default":true}""",
            root.GetProperty("system").GetProperty("properties").GetProperty("default_template").GetRawText());
    }

    [Fact]
    public async Task Admin_state_Follow()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string position = Position(await fixture.CallAsync("admin.state.Get"));
        string run = position[..8];
        using RawClient stream = await FollowAsync(fixture, position);
        await ExpectAsync(stream, $"1\0\0state-position\0position\0{position}\0revision\00\0\0");
        await fixture.CallAsync("admin.vm.property.Set", "memory", "debian", "500");
        await ExpectAsync(stream, "1\0debian\0state-qube-changed\0changes\0{\"properties\":{\"memory\":{\"type\":\"int\",\"value\":\"500\",\"default\":false}}}\0\0"
            + "1\0work\0state-qube-changed\0changes\0{\"properties\":{\"memory\":{\"type\":\"int\",\"value\":\"500\",\"default\":true}}}\0\0"
            + $"1\0\0state-position\0position\0{run}.1\0revision\01\0\0");
        await fixture.OnLoopAsync(app => ((Model.Classes.QubesVM)app.Domains["work"]).Runtime.State = Model.Classes.PowerState.Transient);
        string message = await ReadMessageAsync(stream, $"{run}.2");
        Assert.StartsWith("1\0work\0state-qube-changed\0changes\0{\"power_state\":\"Transient\"", message, StringComparison.Ordinal);
        await fixture.CallAsync("admin.property.Set", "stats_interval", payload: "7");
        await ExpectAsync(stream, "1\0\0state-system-changed\0changes\0{\"properties\":{\"stats_interval\":{\"type\":\"int\",\"value\":\"7\",\"default\":false}}}\0\0"
            + $"1\0\0state-position\0position\0{run}.3\0revision\02\0\0");
        await fixture.CallAsync("admin.vm.Create.StandaloneVM", payload: "name=new label=red");
        message = await ReadMessageAsync(stream, "\"firewall\":[\"action=accept\"]");
        Assert.StartsWith("1\0new\0state-qube\0state\0{\"class\":\"StandaloneVM\"", message, StringComparison.Ordinal);
        await fixture.CallAsync("admin.vm.Remove", destination: "new");
        Assert.Contains("1\0new\0state-qube-removed\0\0", await ReadMessageAsync(stream, "revision\04\0\0"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Firewall_rules_and_notes_are_told_with_what_the_files_hold()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string directory = Directory.CreateDirectory(Path.Combine(fixture.StateDirectory, "appvms", "work")).FullName;
        string templates = Directory.CreateDirectory(Path.Combine(fixture.StateDirectory, "vm-templates", "debian")).FullName;
        await File.WriteAllTextAsync(Path.Combine(directory, "notes.txt"), "old");
        await File.WriteAllTextAsync(Path.Combine(directory, "firewall.xml"), "<firewall version=\"2\"><rules/></firewall>");
        await File.WriteAllTextAsync(Path.Combine(templates, "firewall.xml"), "damaged");
        string state = await fixture.CallAsync("admin.state.Get");
        Assert.Contains($"\"firewall\":[],\"notes\":\"{Sha256("old")}\"}}", state, StringComparison.Ordinal);
        Assert.Contains("\"firewall\":null,\"notes\":\"\"}", state, StringComparison.Ordinal);
        string position = Position(state);
        using RawClient stream = await FollowAsync(fixture, position);
        await ReadMessageAsync(stream, "state-position");
        await fixture.CallAsync("admin.vm.firewall.Set", destination: "work", payload: "action=drop comment=a b");
        Assert.StartsWith("1\0work\0state-qube-changed\0changes\0{\"firewall\":[\"action=drop comment=a b\"]}\0\0",
            await ReadMessageAsync(stream, "state-position"), StringComparison.Ordinal);
        await fixture.CallAsync("admin.vm.notes.Set", destination: "work", payload: "new");
        Assert.StartsWith($"1\0work\0state-qube-changed\0changes\0{{\"notes\":\"{Sha256("new")}\"}}\0\0",
            await ReadMessageAsync(stream, "state-position"), StringComparison.Ordinal);

        // By hand: known to whoever follows once somebody has read it.
        await File.WriteAllTextAsync(Path.Combine(directory, "notes.txt"), "by hand");
        Assert.Equal("0\0by hand", await fixture.CallAsync("admin.vm.notes.Get", destination: "work"));
        Assert.Contains(Sha256("by hand"), await ReadMessageAsync(stream, "state-position"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Attached_devices_are_told_as_they_come_and_go()
    {
        await using DeviceFixture devices = await DeviceFixture.StartAsync("usb");
        AdminFixture fixture = devices.Fixture;
        await devices.PutAsync("1-1");
        await devices.AssignAsync("1-1");
        using RawClient stream = await FollowAsync(fixture, Position(await fixture.CallAsync("admin.state.Get")));
        await ReadMessageAsync(stream, "state-position");
        await devices.AttachAsync("1-1");
        const string manual = "{\"class\":\"usb\",\"backend\":\"sys-usb\",\"port\":\"1-1\",\"device_id\":\"dead:beef\",\"mode\":\"manual\",\"options\":{}}";
        string told = await ReadMessageAsync(stream, "state-position");
        Assert.Equal($"1\0work\0state-qube-changed\0changes\0{{\"attached\":[{manual}]}}", told.Split("\0\0")[0]);
        Assert.Contains($"\"attached\":[{manual}]", await fixture.CallAsync("admin.state.Get"), StringComparison.Ordinal);
        await fixture.CallAsync("admin.vm.device.usb.Detach", "sys-usb+1-1", "work");
        Assert.StartsWith("1\0work\0state-qube-changed\0changes\0{\"attached\":[]}\0\0",
            await ReadMessageAsync(stream, "state-position"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_is_told_each_section_of_a_qube_by_the_right_to_read_it()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Directory.CreateDirectory(Path.Combine(fixture.StateDirectory, "appvms", "work"));
        await fixture.AddQubeAsync("watcher");
        const string hidden = "\"devices\":null,\"attached\":null,\"firewall\":null,\"notes\":null}";
        string basic = Rules("List", "property.GetAll", "feature.List", "feature.Get", "tag.List");
        fixture.Policy.With("30-test.policy", basic);
        string state = await fixture.CallAsync("admin.state.Get", source: "watcher");
        Assert.Contains(hidden, state, StringComparison.Ordinal);
        using RawClient stream = await FollowAsync(fixture, Position(state), "watcher");
        await ReadMessageAsync(stream, "state-position");

        // What it may not see is not told when it changes either.
        await fixture.CallAsync("admin.vm.firewall.Set", destination: "work", payload: "action=drop");
        string message = await ReadMessageAsync(stream, "state-position");
        Assert.DoesNotContain("state-qube", message, StringComparison.Ordinal);
        fixture.Policy.With("30-test.policy", basic + Rules("firewall.Get"));
        await fixture.CallAsync("admin.vm.tag.Set", "t", "work");
        message = await ReadMessageAsync(stream, "state-position");
        Assert.StartsWith("1\0work\0state-qube-changed\0changes\0{\"tags\":[\"t\"],\"firewall\":[\"action=drop\"]}\0\0", message, StringComparison.Ordinal);
        fixture.Policy.With("30-test.policy", basic + Rules("notes.Get", "device.pci.Assigned", "device.usb.Assigned", "device.block.Assigned", "device.mic.Assigned"));
        await fixture.CallAsync("admin.vm.tag.Set", "u", "debian");
        message = await ReadMessageAsync(stream, "state-position");
        Assert.StartsWith("1\0work\0state-qube-changed\0changes\0{\"devices\":[],\"firewall\":null,\"notes\":\"\"}\0\0", message, StringComparison.Ordinal);

        static string Rules(params string[] calls) => string.Concat(calls.Select(call => $"admin.vm.{call} * watcher work allow target=dom0\n"));
    }

    [Fact]
    public async Task A_change_that_could_not_be_written_is_not_told()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string position = Position(await fixture.CallAsync("admin.state.Get"));
        fixture.DiskIsFull = true;
        await fixture.CallAsync("admin.vm.tag.Set", "lost", "work");
        fixture.DiskIsFull = false;
        await fixture.CallAsync("admin.vm.tag.Set", "kept", "work");
        using RawClient stream = await FollowAsync(fixture, position);
        string missed = await ReadMessageAsync(stream, "revision\02");
        Assert.Contains("{\"tags\":[\"kept\"]}", missed, StringComparison.Ordinal);
        Assert.DoesNotContain("lost", missed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x", "2\0ProtocolError\0\0argument must be a position: RUN.NUMBER\0")]
    [InlineData("12345678", "2\0ProtocolError\0\0argument must be a position: RUN.NUMBER\0")]
    [InlineData("12345678.", "2\0ProtocolError\0\0argument must be a position: RUN.NUMBER\0")]
    [InlineData("12345678.-1", "2\0ProtocolError\0\0argument must be a position: RUN.NUMBER\0")]
    [InlineData("00000000.0", "2\0QubesStateExpiredError\0\0The changes since this position are no longer kept: get the state again\0")]
    public async Task A_position_that_is_none_or_of_another_run_is_refused(string position, string error)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal(error, await fixture.CallAsync("admin.state.Follow", position));
        await fixture.CallAsync("admin.state.Get");
        Assert.Equal(error, await fixture.CallAsync("admin.state.Follow", position));
    }

    [Fact]
    public async Task Many_readers_that_take_their_time_cost_no_copies_of_the_state_and_see_one_moment()
    {
        const int readers = 20;
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.OnLoopAsync(app =>
        {
            for (int i = 0; i < 600; i++)
            {
                app.Domains.Create(new Model.Classes.NewQube
                {
                    Class = Model.Classes.QubeClasses.AppVM, Name = Protocol.Names.QubeName.Parse($"q{i}"), Label = app.Labels.Find("red"), Template = app.Domains["debian"],
                });
            }
        });
        string whole = await fixture.CallAsync("admin.state.Get");
        Assert.True(whole.Length > 1 << 20, $"only {whole.Length} bytes");
        long before = await fixture.OnLoopAsync(_ => GC.GetAllocatedBytesForCurrentThread());
        RawClient[] clients = new RawClient[readers];
        for (int i = 0; i < readers; i++)
        {
            clients[i] = await RawClient.ConnectAsync(fixture.AdminSocket);
            await clients[i].SendAsync("admin.state.Get+ dom0 name dom0\0");
            clients[i].FinishOutput();
        }

        // Each has its first bytes, so all of them were answered; no one has taken more than its socket holds.
        string[] first = new string[readers];
        for (int i = 0; i < readers; i++)
        {
            first[i] = await clients[i].ReadAsync();
        }

        long after = await fixture.OnLoopAsync(_ => GC.GetAllocatedBytesForCurrentThread());
        Assert.True(after - before < readers * (long)whole.Length / 4, $"{(after - before) / readers} bytes for each reply of {whole.Length}");

        // What they have not read yet is still of the moment they asked.
        await fixture.CallAsync("admin.vm.property.Set", "memory", "debian", "555");
        for (int i = 0; i < readers; i++)
        {
            Assert.Equal(whole, first[i] + await clients[i].ReadExactlyAsync(whole.Length - first[i].Length));
            Assert.Equal("", await clients[i].ReadAsync());
            clients[i].Dispose();
        }
    }

    [Fact]
    public async Task A_position_that_is_too_old_or_not_yet_there_is_refused()
    {
        const string expired = "2\0QubesStateExpiredError\0\0The changes since this position are no longer kept: get the state again\0";
        await using AdminFixture fixture = await AdminFixture.StartAsync(state: new StateFeedLimits { KeptChanges = 2 });
        string position = Position(await fixture.CallAsync("admin.state.Get"));
        Assert.Equal(expired, await fixture.CallAsync("admin.state.Follow", position[..9] + "1"));
        foreach (string tag in (string[])["a", "b", "c"])
        {
            await fixture.CallAsync("admin.vm.tag.Set", tag, "work");
        }

        Assert.Equal(expired, await fixture.CallAsync("admin.state.Follow", position));
        using RawClient stream = await FollowAsync(fixture, position[..9] + "1");
        await ReadMessageAsync(stream, position[..9] + "3");
    }

    [Fact]
    public async Task More_missed_changes_than_a_caller_is_sent_are_refused()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync(state: new StateFeedLimits { CatchUpBytes = 200 });
        string position = Position(await fixture.CallAsync("admin.state.Get"));
        await fixture.CallAsync("admin.vm.feature.Set", "long", "work", new string('x', 300));
        Assert.StartsWith("2\0QubesStateExpiredError\0", await fixture.CallAsync("admin.state.Follow", position), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_qube_sees_what_it_could_also_read_one_by_one()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("watcher");
        Assert.Contains("\"system\":null,\"qubes\":{}}", await fixture.CallAsync("admin.state.Get", source: "watcher"), StringComparison.Ordinal);
        fixture.Policy.With("30-test.policy", Watcher.Replace("admin.vm.feature.Get *", "admin.vm.feature.Get +one", StringComparison.Ordinal));
        Assert.Contains("\"qubes\":{}}", await fixture.CallAsync("admin.state.Get", source: "watcher"), StringComparison.Ordinal);
        fixture.Policy.With("30-test.policy", Watcher);
        string seen = await fixture.CallAsync("admin.state.Get", source: "watcher");
        Assert.Contains("\"system\":null,\"qubes\":{\"work\":{", seen, StringComparison.Ordinal);
        Assert.DoesNotContain("\"watcher\":{", seen, StringComparison.Ordinal);
        fixture.Policy.With("30-test.policy", Watcher + "admin.property.GetAll * watcher @adminvm allow\nadmin.label.List * watcher @adminvm allow\n"
            + "admin.label.Get * watcher @adminvm allow\nadmin.pool.List * watcher @adminvm allow\n");
        Assert.Contains("\"system\":{", await fixture.CallAsync("admin.state.Get", source: "watcher"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_qube_is_told_when_it_may_see_more_or_less_and_no_name_it_never_saw()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("watcher");
        fixture.Policy.With("30-test.policy", Watcher.Replace(" work ", " @tag:seen ", StringComparison.Ordinal));
        string position = Position(await fixture.CallAsync("admin.state.Get", source: "watcher"));
        string run = position[..9];
        await fixture.CallAsync("admin.vm.tag.Set", "unseen", "debian");
        using RawClient stream = await FollowAsync(fixture, position, "watcher");
        await ExpectAsync(stream, $"1\0\0state-position\0position\0{run}1\0revision\01\0\0");
        await fixture.CallAsync("admin.vm.tag.Set", "seen", "work");
        Assert.StartsWith("1\0work\0state-qube\0state\0{\"class\":\"AppVM\"", await ReadMessageAsync(stream, run + "2"), StringComparison.Ordinal);
        await fixture.CallAsync("admin.vm.tag.Set", "more", "work");
        await ExpectAsync(stream, "1\0work\0state-qube-changed\0changes\0{\"tags\":[\"more\",\"seen\"]}\0\0"
            + $"1\0\0state-position\0position\0{run}3\0revision\03\0\0");
        await fixture.CallAsync("admin.vm.tag.Remove", "seen", "work");
        await ExpectAsync(stream, $"1\0work\0state-qube-removed\0\0" + $"1\0\0state-position\0position\0{run}4\0revision\04\0\0");
        fixture.Policy.With("30-test.policy", Watcher);
        await fixture.CallAsync("admin.vm.tag.Set", "other", "debian");
        string message = await ReadMessageAsync(stream, run + "5");
        Assert.StartsWith("1\0work\0state-qube\0", message, StringComparison.Ordinal);
        Assert.DoesNotContain("debian\0state", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_qube_that_comes_back_after_a_change_of_policy_has_to_get_the_state_again()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("watcher");
        fixture.Policy.With("30-test.policy", Watcher);
        string position = Position(await fixture.CallAsync("admin.state.Get", source: "watcher"));
        fixture.Policy.With("30-test.policy", Watcher + "x * a b deny\n");
        Assert.StartsWith("2\0QubesStateExpiredError\0", await fixture.CallAsync("admin.state.Follow", position, source: "watcher"), StringComparison.Ordinal);
        position = Position(await fixture.CallAsync("admin.state.Get", source: "watcher"));
        using RawClient stream = await FollowAsync(fixture, position, "watcher");
        await ExpectAsync(stream, $"1\0\0state-position\0position\0{position}\0revision\00\0\0");
    }

    [Fact]
    public async Task A_follower_that_hangs_up_is_forgotten()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        RawClient leaving = await FollowAsync(fixture, Position(await fixture.CallAsync("admin.state.Get")));
        await leaving.ReadAsync();
        Assert.Equal(1, await fixture.OnLoopAsync(_ => fixture.State.FollowerCount));
        leaving.Dispose();
        await fixture.Loop.InvokeAsync(async () =>
        {
            while (fixture.State.FollowerCount > 0)
            {
                await Task.Yield();
            }
        }).WaitAsync(RawClient.Patience);
    }

    private static string Sha256(string text) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));

    private static string Position(string reply) => reply.Split("\"position\":\"")[1].Split('"')[0];

    private static async Task<RawClient> FollowAsync(AdminFixture fixture, string position, string source = "dom0")
    {
        RawClient client = await RawClient.ConnectAsync(fixture.AdminSocket);
        await client.SendAsync($"admin.state.Follow+{position} {source} name dom0\0");
        client.FinishOutput();
        return client;
    }

    private static async Task ExpectAsync(RawClient client, string messages) => Assert.Equal(messages, await client.ReadExactlyAsync(messages.Length));

    /// <summary>Reads until a text and the end of its message came.</summary>
    private static async Task<string> ReadMessageAsync(RawClient client, string until)
    {
        string text = "";
        while (!text.Contains(until, StringComparison.Ordinal) || !text.EndsWith("\0\0", StringComparison.Ordinal))
        {
            text += await client.ReadAsync();
        }

        return text;
    }
}
