using System.Globalization;
using Qubes.Extensions;
using Qubes.Model.Classes;
using Qubes.Model.QubesDb;
using Qubes.Protocol.Events;
using Qubes.Testing;

namespace Qubes.Admin.Tests.Calls;

/// <summary>What qubes tell of themselves, from raw bytes to raw bytes.</summary>
public sealed class MiscCallTests
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    [Fact]
    public async Task Qubes_FeaturesRequest()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string seen = "";
        await fixture.OnLoopAsync(app =>
        {
            BuiltInExtensions.Register(app);
            Run(app.Domains["debian"], ("/features-request/qrexec", "1"), ("/features-request/os-version", "12.5"),
                ("/features-request/os-eol", "2026-13-01"), ("/features-request/supported-service.crond", "1"), ("/other", "x"));
            app.Events.On(Model.Events.EmitterClass.TemplateVM, "features-request", e => seen = EventValue.ToText(e.Arguments["untrusted_features"]));
        });
        Assert.Equal("0\0", await CallAsync(fixture, "qubes.FeaturesRequest", "debian"));
        Assert.Equal("{'os-eol': '2026-13-01', 'os-version': '12.5', 'qrexec': '1', 'supported-service.crond': '1'}", seen);
        Assert.Equal(["os-version", "qrexec", "supported-service.crond"], await FeaturesAsync(fixture, "debian"));
        Assert.Equal(1, fixture.Commits);
    }

    [Theory]
    [InlineData("a\nb")]
    [InlineData("a/b")]
    [InlineData("\u00e9")]
    public async Task A_value_outside_of_the_safe_set_is_refused_and_nothing_of_the_request_is_kept(string value)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.OnLoopAsync(app =>
        {
            BuiltInExtensions.Register(app);
            Run(app.Domains["debian"], ("/features-request/qrexec", "1"), ("/features-request/z", value));
        });
        Assert.Equal($"2\0ProtocolError\0\0Value outside safe set: {Letters}-.,_= \0", await CallAsync(fixture, "qubes.FeaturesRequest", "debian"));
        Assert.Empty(await FeaturesAsync(fixture, "debian"));
        Assert.Equal(0, fixture.Commits);
    }

    [Fact]
    public async Task A_qube_that_does_not_run_has_nothing_to_ask_for()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        const string error = "2\0QubesVMNotRunningError\0\0Domain not running (either powered off or paused): 'work'\0";
        Assert.Equal(error, await CallAsync(fixture, "qubes.FeaturesRequest", "work"));
        Assert.Equal(error, await CallAsync(fixture, "qubes.NotifyTools", "work"));
    }

    [Fact]
    public async Task A_request_that_cannot_be_saved_leaves_no_trace()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.OnLoopAsync(app =>
        {
            BuiltInExtensions.Register(app);
            Run(app.Domains["debian"], ("/features-request/qrexec", "1"));
        });
        fixture.DiskIsFull = true;
        Assert.StartsWith("2\0QubesException\0", await CallAsync(fixture, "qubes.FeaturesRequest", "debian"), StringComparison.Ordinal);
        Assert.Empty(await FeaturesAsync(fixture, "debian"));
    }

    [Fact]
    public async Task Qubes_NotifyTools()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string seen = "";
        await fixture.OnLoopAsync(app =>
        {
            Run(app.Domains["debian"], ("/qubes-tools/qrexec", "1"), ("/qubes-tools/gui", ""), ("/qubes-tools/os", "Windows"),
                ("/qubes-tools/extra", "a b"));
            app.Events.On(Model.Events.EmitterClass.TemplateVM, "features-request", e => seen = EventValue.ToText(e.Arguments["untrusted_features"]));
        });
        Assert.Equal("0\0", await CallAsync(fixture, "qubes.NotifyTools", "debian"));
        Assert.Equal("{'os': 'Windows', 'qrexec': '1'}", seen);
        await fixture.OnLoopAsync(app => ((LocalQube)app.Domains["debian"]).QubesDb.Write("/qubes-tools/default-user", "a b"));
        Assert.Equal($"2\0ProtocolError\0\0Value outside safe set: {Letters}\0", await CallAsync(fixture, "qubes.NotifyTools", "debian"));
    }

    [Theory]
    [InlineData("qubes.NotifyUpdates", "")]
    [InlineData("qubes.NotifyUpdates", "x")]
    [InlineData("qubes.NotifyUpdates", "-1")]
    [InlineData("qubes.NotifyUpdates", " ")]
    [InlineData("qubes.NotifyUpdates", "1 2")]
    public async Task A_count_is_digits(string method, string payload)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal(payload.Length == 0 ? "2\0ProtocolError\0\0expected payload\0" : "2\0ProtocolError\0\0Update count is not a digit\0",
            await CallAsync(fixture, method, "debian", payload));
    }

    [Fact]
    public async Task Qubes_NotifyUpdates()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await CallAsync(fixture, "qubes.NotifyUpdates", "debian", " 3\n"));
        Assert.Equal(["last-updates-check", "updates-available"], await FeaturesAsync(fixture, "debian"));
        Assert.Equal("1", await FeatureAsync(fixture, "updates-available"));
        Assert.True(DateTime.TryParseExact(await FeatureAsync(fixture, "last-updates-check"), "yyyy-MM-dd HH:mm:ss",
            CultureInfo.InvariantCulture, DateTimeStyles.None, out _));

        Assert.Equal("0\0", await CallAsync(fixture, "qubes.NotifyUpdates", "debian", "000"));
        Assert.Equal("", await FeatureAsync(fixture, "updates-available"));
        Assert.Contains("last-update", await FeaturesAsync(fixture, "debian"));
    }

    [Fact]
    public async Task What_a_based_qube_found_is_a_hint_about_its_template_while_that_does_not_run()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0", await CallAsync(fixture, "qubes.NotifyUpdates", "work", "0"));
        Assert.Empty(await FeaturesAsync(fixture, "debian"));
        await fixture.OnLoopAsync(app => ((QubesVM)app.Domains["debian"]).Runtime.State = PowerState.Running);
        Assert.Equal("0\0", await CallAsync(fixture, "qubes.NotifyUpdates", "work", "5"));
        Assert.Empty(await FeaturesAsync(fixture, "debian"));
        await fixture.OnLoopAsync(app => ((QubesVM)app.Domains["debian"]).Runtime.State = PowerState.Halted);
        Assert.Equal("0\0", await CallAsync(fixture, "qubes.NotifyUpdates", "work", "5"));
        Assert.Equal("1", await FeatureAsync(fixture, "updates-available"));
        Assert.Empty(await FeaturesAsync(fixture, "work"));
    }

    [Theory]
    [InlineData("qubes.FeaturesRequest")]
    [InlineData("qubes.NotifyTools")]
    [InlineData("qubes.NotifyUpdates")]
    public async Task These_calls_exist_on_their_own_socket_only_and_on_dom0_only(string method)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal($"2\0ProtocolError\0\0no such method: '{method}'\0", await fixture.CallAsync(method, payload: "1"));
        Assert.Equal("2\0ProtocolError\0\0unexpected argument\0",
            await RawClient.CallAsync(fixture.MiscSocket, $"{method}+x work name dom0\0{(method == "qubes.NotifyUpdates" ? "1" : "")}"));
        Assert.Equal("2\0ProtocolError\0\0expected destination to be AdminVM\0",
            await RawClient.CallAsync(fixture.MiscSocket, $"{method}+ work name work\0{(method == "qubes.NotifyUpdates" ? "1" : "")}"));
        Assert.Equal("2\0ProtocolError\0\0no such method: 'admin.vm.List'\0", await RawClient.CallAsync(fixture.MiscSocket, "admin.vm.List+ dom0 name dom0\0"));
    }

    private static Task<string> CallAsync(AdminFixture fixture, string method, string source, string payload = "") =>
        RawClient.CallAsync(fixture.MiscSocket, $"{method}+ {source} name dom0\0{payload}");

    private static void Run(Qube qube, params (string Path, string Value)[] entries)
    {
        LocalQube local = (LocalQube)qube;
        local.QubesDb.Attach(new MemoryQubesDb(local.QubesDb.TellChange));
        foreach ((string path, string value) in entries)
        {
            local.QubesDb.Write(path, value);
        }
    }

    private static Task<string[]> FeaturesAsync(AdminFixture fixture, string qube) =>
        fixture.OnLoopAsync(app => app.Domains[qube].Features.All.Select(f => f.Key).Order(StringComparer.Ordinal).ToArray());

    private static Task<string?> FeatureAsync(AdminFixture fixture, string feature) =>
        fixture.OnLoopAsync(app => app.Domains["debian"].Features.Get(feature));
}
