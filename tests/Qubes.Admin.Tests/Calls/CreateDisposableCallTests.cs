using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Disposables;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Admin.Tests.Calls;

public sealed class CreateDisposableCallTests : IAsyncLifetime
{
    private const string Refusal = "2\0QubesException\0\0Refusing to create disposable out of app qube which has template_for_dispvms=False\0";

    private AdminFixture _fixture = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await AdminFixture.StartAsync();
        await _fixture.AddQubeAsync("dvm");
        await _fixture.CallAsync("admin.vm.property.Set", "template_for_dispvms", "dvm", "True");
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task Admin_vm_CreateDisposable()
    {
        int before = _fixture.Commits;
        string name = await CreateAsync();
        Assert.Matches("^disp[0-9]{1,4}$", name);
        Assert.StartsWith($"0\0{name} class=DispVM state=Halted uuid=", await _fixture.CallAsync("admin.vm.List", destination: name), StringComparison.Ordinal);
        Assert.Equal("0\0default=False type=vm dvm", await _fixture.CallAsync("admin.vm.property.Get", "template", name));
        Assert.Equal("0\0default=False type=bool True", await _fixture.CallAsync("admin.vm.property.Get", "auto_cleanup", name));
        Assert.Equal($"0\0default=False type=int {name["disp".Length..]}", await _fixture.CallAsync("admin.vm.property.Get", "dispid", name));
        Assert.Equal("0\0created-by-dom0\ndisp-created-by-dom0\n", await _fixture.CallAsync("admin.vm.tag.List", destination: name));
        Assert.Equal([$"create {name}", $"confirm {name}"], _fixture.Lifecycle.Asked);

        // The tags are saved with the qube, not some time later.
        Assert.Equal(before + 1, _fixture.Commits);
    }

    [Fact]
    public async Task A_creator_with_as_many_as_it_may_have_gets_no_more_and_nothing_is_left_of_it()
    {
        await _fixture.CallAsync("admin.vm.feature.Set", "limit-disposables", "work", "1");
        Assert.StartsWith("0\0disp", await _fixture.CallAsync("admin.vm.CreateDisposable", destination: "dvm", source: "work"), StringComparison.Ordinal);
        string before = await _fixture.CallAsync("admin.vm.List");
        Assert.Equal("2\0QubesRateLimitedError\0\0work may not have more than 1 disposables at a time\0",
            await _fixture.CallAsync("admin.vm.CreateDisposable", destination: "dvm", source: "work"));
        Assert.Equal(before, await _fixture.CallAsync("admin.vm.List"));
        Assert.StartsWith("0\0disp", await _fixture.CallAsync("admin.vm.CreateDisposable", destination: "dvm"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_uuid_is_answered_to_whoever_asks_for_it()
    {
        string reply = await _fixture.CallAsync("admin.vm.CreateDisposable", destination: "dvm", payload: "uuid");
        Assert.Equal("0\0".Length + "uuid:".Length + 36, reply.Length);
        Assert.Contains(" class=DispVM ", await _fixture.CallAsync("admin.vm.List", destination: reply[2..]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x", "", "2\0PermissionDenied\0\0Argument not in \"'', 'preload'\"\0")]
    [InlineData("x", "y", "2\0PermissionDenied\0\0Argument not in \"'', 'preload'\"\0")]
    [InlineData("", "UUID", "2\0ProtocolError\0\0Invalid payload, expected empty string or 'uuid'\0")]
    [InlineData("preload", "uuid ", "2\0ProtocolError\0\0Invalid payload, expected empty string or 'uuid'\0")]
    public async Task Anything_else_is_refused(string argument, string payload, string reply)
    {
        Assert.Equal(reply, await _fixture.CallAsync("admin.vm.CreateDisposable", argument, "dvm", payload));
        Assert.Empty(_fixture.Lifecycle.Asked);
    }

    [Theory]
    [InlineData("work", "")]
    [InlineData("debian", "")]
    [InlineData("dom0", "")]
    [InlineData("work", "preload")]
    [InlineData("dom0", "preload")]
    public async Task Only_a_template_for_disposables_gives_some(string destination, string argument)
    {
        Assert.Equal(Refusal, await _fixture.CallAsync("admin.vm.CreateDisposable", argument, destination));
        Assert.Empty(_fixture.Lifecycle.Asked);
    }

    [Fact]
    public async Task On_dom0_the_callers_own_default_counts()
    {
        await _fixture.AddQubeAsync("other");
        await _fixture.CallAsync("admin.vm.property.Set", "template_for_dispvms", "other", "True");
        await _fixture.CallAsync("admin.vm.property.Set", "default_dispvm", "work", "other");
        await _fixture.OnLoopAsync(app => QubesAppProperties.DefaultDispVM.Set(app, app.Domains["dvm"]));
        Assert.Equal("0\0default=False type=vm dvm", await _fixture.CallAsync("admin.vm.property.Get", "template", await CreateAsync("dom0")));
        string name = await CreateAsync("dom0", source: "work");
        Assert.Equal("0\0default=False type=vm other", await _fixture.CallAsync("admin.vm.property.Get", "template", name));

        // What starts from a disposable starts from the same template as it did.
        string second = await CreateAsync("dom0", source: name);
        Assert.Equal("0\0default=False type=vm other", await _fixture.CallAsync("admin.vm.property.Get", "template", second));
    }

    [Fact]
    public async Task The_permission_event_shows_the_template_and_may_refuse()
    {
        object? shown = null;
        await _fixture.OnLoopAsync(app => app.Events.On(EmitterClass.BaseVM, "admin-permission:admin.vm.CreateDisposable", asked =>
        {
            shown = asked.Arguments["dispvm_template"];
            throw QubesErrors.PermissionDenied("no");
        }));
        Assert.Equal("2\0PermissionDenied\0\0no\0", await _fixture.CallAsync("admin.vm.CreateDisposable", destination: "dvm"));
        Assert.Equal("dvm", (shown as Qube)?.Name.Value);
        Assert.Empty(_fixture.Lifecycle.Asked);
    }

    [Fact]
    public async Task A_disposable_is_its_creators_not_that_of_whoever_created_the_template()
    {
        await _fixture.AddQubeAsync("mgmt");
        await _fixture.OnLoopAsync(app => app.Domains["dvm"].Tags.Add(TagName.Parse("created-by-mgmt")));
        string name = await CreateAsync(source: "work");
        Assert.Equal("0\0created-by-work\ndisp-created-by-work\n", await _fixture.CallAsync("admin.vm.tag.List", destination: name));
    }

    [Fact]
    public async Task A_qube_that_would_be_somebody_elses_too_is_not_made()
    {
        await _fixture.OnLoopAsync(app => app.Events.On(
            EmitterClass.DispVM, "domain-init", made => ((Qube)made.Subject).Tags.Add(TagName.Parse("created-by-mgmt"))));
        string before = await _fixture.CallAsync("admin.vm.List");
        Assert.StartsWith("2\0PermissionDenied\0", await _fixture.CallAsync("admin.vm.CreateDisposable", destination: "dvm"), StringComparison.Ordinal);
        Assert.Equal(before, await _fixture.CallAsync("admin.vm.List"));
        Assert.Empty(_fixture.Lifecycle.Asked);
    }

    [Fact]
    public async Task Without_room_nothing_remains()
    {
        string before = await _fixture.CallAsync("admin.vm.List");
        _fixture.Lifecycle.Failure = QubesErrors.StoragePool("no room");
        Assert.Equal("2\0StoragePoolException\0\0no room\0", await _fixture.CallAsync("admin.vm.CreateDisposable", destination: "dvm"));
        _fixture.Lifecycle.Failure = null;
        _fixture.DiskIsFull = true;
        Assert.StartsWith("2\0QubesException\0", await _fixture.CallAsync("admin.vm.CreateDisposable", destination: "dvm"), StringComparison.Ordinal);
        Assert.Equal(before, await _fixture.CallAsync("admin.vm.List"));
        Assert.StartsWith("discard disp", _fixture.Lifecycle.Asked[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_killed_disposable_is_gone()
    {
        string name = await CreateAsync();
        await _fixture.OnLoopAsync(app => ((QubesVM)app.Domains[name]).Runtime.State = PowerState.Running);
        Assert.Equal("0\0", await _fixture.CallAsync("admin.vm.Kill", destination: name));
        Assert.StartsWith("2\0QubesVMNotFoundError\0", await _fixture.CallAsync("admin.vm.List", destination: name), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_killed_named_disposable_stays()
    {
        Assert.Equal("0\0", await _fixture.CallAsync("admin.vm.Create.DispVM", "dvm", payload: "name=named label=red"));
        await _fixture.OnLoopAsync(app => ((QubesVM)app.Domains["named"]).Runtime.State = PowerState.Running);
        Assert.Equal("0\0", await _fixture.CallAsync("admin.vm.Kill", destination: "named"));
        Assert.Contains("state=Halted", await _fixture.CallAsync("admin.vm.List", destination: "named"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Preloading_needs_a_guest_that_can_tell_when_it_is_ready()
    {
        Assert.StartsWith("2\0QubesValueError\0", await _fixture.CallAsync("admin.vm.CreateDisposable", "preload", "dvm"), StringComparison.Ordinal);
        await _fixture.OnLoopAsync(app =>
        {
            app.Domains["dvm"].Features.Set("supported-rpc." + PreloadFeatures.WaitForSystem, "1");
            app.Domains["dvm"].Features.Set("supported-rpc." + PreloadFeatures.WaitForSession, "1");
        });

        // None are wanted.
        Assert.Equal("0\0", await _fixture.CallAsync("admin.vm.CreateDisposable", "preload", "dvm"));
        Assert.Empty(_fixture.Lifecycle.Asked);
    }

    private async Task<string> CreateAsync(string destination = "dvm", string source = "dom0")
    {
        string reply = await _fixture.CallAsync("admin.vm.CreateDisposable", destination: destination, source: source);
        Assert.StartsWith("0\0", reply, StringComparison.Ordinal);
        return reply[2..];
    }
}
