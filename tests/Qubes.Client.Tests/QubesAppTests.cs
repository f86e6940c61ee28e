using Qubes.Client.Transport;
using Qubes.Protocol.Errors;

namespace Qubes.Client.Tests;

public sealed class QubesAppTests : IDisposable
{
    private readonly FakeDaemon _daemon = new();
    private readonly QubesApp _app;

    public QubesAppTests() => _app = new QubesApp(
        new SocketTransport(Path.Combine(_daemon.Root, "run", "qubesd.sock"), Path.Combine(_daemon.Root, "etc")));

    public void Dispose() => _daemon.Dispose();

    [Fact]
    public async Task Qubes_are_listed_and_more_fields_tolerated()
    {
        _daemon.Answer("admin.vm.List+ dom0", "dom0 class=AdminVM state=Running uuid=x\nwork class=AppVM state=Halted new=1\n");
        Assert.Equal([new("dom0", "AdminVM", "Running"), new("work", "AppVM", "Halted")], await _app.ListQubesAsync());
    }

    [Fact]
    public async Task Creating_in_pools_names_each_volume()
    {
        _daemon.Answer("admin.vm.CreateInPool.AppVM+tmpl dom0", "");
        await _app.CreateAsync("AppVM", "work", "red", "tmpl",
            volumePools: new Dictionary<string, string>(StringComparer.Ordinal) { ["private"] = "p2", ["volatile"] = "p1" });
        Assert.Equal(["admin.vm.CreateInPool.AppVM+tmpl dom0 name=work label=red pool:private=p2 pool:volatile=p1"], _daemon.Requests);
    }

    [Fact]
    public async Task All_properties_are_asked_one_by_one_where_all_at_once_is_refused()
    {
        _daemon.AnswerRaw("admin.vm.property.GetAll+ work", "")
            .Answer("admin.vm.property.List+ work", "label\nnetvm\n")
            .Answer("admin.vm.property.Get+label work", "default=False type=label red")
            .Answer("admin.vm.property.Get+netvm work", "default=True type=vm ");
        IReadOnlyDictionary<string, PropertyValue> values = await _app["work"].GetPropertiesAsync();
        Assert.Equal("red", values["label"].Raw);
        Assert.True(values["netvm"].IsNone);
    }

    [Fact]
    public async Task A_feature_that_is_not_set_is_null()
    {
        _daemon.Fail("admin.vm.feature.Get+x work", "QubesFeatureNotFoundError", "Feature not set for domain work: x")
            .Fail("admin.vm.feature.Remove+x work", "QubesFeatureNotFoundError", "Feature not set for domain work: x");
        Assert.Null(await _app["work"].GetFeatureAsync("x"));
        await _app["work"].RemoveFeatureAsync("x");
    }

    [Fact]
    public async Task No_daemon_is_a_communication_error()
    {
        QubesApp nowhere = new(new SocketTransport(Path.Combine(_daemon.Root, "no.sock"), "/"));
        QubesException error = await Assert.ThrowsAsync<QubesException>(async () => await nowhere.ListLabelsAsync());
        Assert.Equal(ClientErrors.CommunicationError, error.WireName);
        Assert.StartsWith("Failed to connect to qubesd service: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_volume_is_imported_through_the_service_program()
    {
        string etc = Directory.CreateDirectory(Path.Combine(_daemon.Root, "etc")).FullName;
        string program = Path.Combine(etc, "admin.vm.volume.ImportWithSize");
        await File.WriteAllTextAsync(program, """
            #!/bin/sh
            cat > "$0.input"
            printf '%s %s %s' "$1" "$QREXEC_REMOTE_DOMAIN" "$QREXEC_REQUESTED_TARGET" > "$0.call"
            printf '0\0'
            """);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await _app["work"].ImportVolumeAsync("root", new MemoryStream("data"u8.ToArray()), 4);
        Assert.Equal("4\ndata", await File.ReadAllTextAsync(program + ".input"));
        Assert.Equal("root dom0 work", await File.ReadAllTextAsync(program + ".call"));
    }

    [Fact]
    public async Task Events_are_streamed()
    {
        _daemon.AnswerRaw("admin.Events+ dom0", "1\0\0connection-established\0\01\0\0domain-add\0vm\0work\0\0");
        List<string?> seen = [];
        await foreach (AdminEvent admin in _app.EventsAsync())
        {
            seen.Add(admin["vm"] ?? admin.Name);
        }

        Assert.Equal([AdminEvent.ConnectionEstablished, "work"], seen);
    }
}
