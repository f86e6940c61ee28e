namespace Qubes.Libvirt.Tests;

public sealed class ConnectionTests : HypervisorTest
{
    [Fact]
    public void The_library_tells_its_version() => Assert.True(LibvirtLibrary.Version >= new Version(6, 0));

    [Fact]
    public async Task A_domain_goes_through_its_life_and_each_step_is_told_in_order()
    {
        var uuid = Guid.NewGuid();
        var states = await Session.Lanes.RunAsync(NewName, "life", connection =>
        {
            using var domain = connection.Define(TestXml(NewName, uuid));
            var seen = new List<DomainState> { domain.GetState().State };
            Assert.Equal(-1, domain.Id);
            domain.Start(paused: false);
            seen.Add(domain.GetState().State);
            Assert.True(domain.Id > 0);
            domain.Suspend();
            seen.Add(domain.GetState().State);
            domain.Resume();
            seen.Add(domain.GetState().State);
            domain.Destroy();
            seen.Add(domain.GetState().State);
            domain.Undefine();
            return seen;
        });
        Assert.Equal([DomainState.ShutOff, DomainState.Running, DomainState.Paused, DomainState.Running, DomainState.ShutOff], states);
        var told = await NextEventsAsync(Session.Events, NewName, 6);
        Assert.Equal(
            [
                DomainEventKind.Defined, DomainEventKind.Started, DomainEventKind.Suspended, DomainEventKind.Resumed,
                DomainEventKind.Stopped, DomainEventKind.Undefined,
            ], told);
    }

    [Fact]
    public async Task An_unknown_domain_is_absent_not_an_error()
    {
        Assert.True(await Session.Lanes.RunAsync(NewName, "find", connection => connection.Find(Guid.NewGuid()) is null));
        Assert.True(await Session.Lanes.RunAsync(NewName, "find", connection => connection.Find(NewName) is null));
    }

    [Fact]
    public async Task A_refusal_carries_its_reason()
    {
        var uuid = Guid.NewGuid();
        var refused = await Assert.ThrowsAsync<LibvirtException>(() => Session.Lanes.RunAsync(NewName, "destroy", connection =>
        {
            using var domain = connection.Define(TestXml(NewName, uuid));
            domain.Destroy();
            return true;
        }));
        Assert.Equal(LibvirtError.OperationInvalid, refused.Error);
        Assert.Equal("virDomainDestroy", refused.Call);
        Assert.NotEmpty(refused.Message);
        var malformed = await Assert.ThrowsAsync<LibvirtException>(() =>
            Session.Lanes.RunAsync(NewName, "define", connection => connection.Define("<domain type='test'>")));
        Assert.NotEqual(LibvirtError.None, malformed.Error);
    }

    [Fact]
    public async Task One_call_sees_all_domains_with_their_state()
    {
        var uuid = Guid.NewGuid();
        var sample = await Session.Lanes.RunAsync(NewName, "list", connection =>
        {
            using var domain = connection.Define(TestXml(NewName, uuid));
            domain.Start(paused: false);
            return Assert.Single(connection.GetAllDomains(), candidate => candidate.Uuid == uuid);
        });
        Assert.Equal(NewName, sample.Name);
        Assert.Equal(DomainState.Running, sample.State);
        Assert.True(sample.IsActive);
        Assert.Equal(2u, sample.VirtualCpus);
        Assert.Equal(64u * 1024, sample.MemoryKiB);
    }

    [Fact]
    public async Task Capabilities_and_the_host_can_be_asked_for()
    {
        Assert.StartsWith("<capabilities>", await Session.Lanes.RunAsync(NewName, "capabilities", connection => connection.GetCapabilities()),
            StringComparison.Ordinal);
        Assert.True((await Session.Lanes.RunAsync(NewName, "host", connection => connection.GetHostInfo())).MemoryKiB > 0);
        Assert.Equal("TEST", Session.DriverName);
    }

    [Fact]
    public async Task A_hypervisor_that_cannot_be_reached_is_reported() =>
        await Assert.ThrowsAsync<LibvirtException>(() => LibvirtSession.OpenAsync("qemu+unix:///system?socket=/nonexistent/socket"));
}
