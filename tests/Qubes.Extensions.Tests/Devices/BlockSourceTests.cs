using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Extensions.Block;
using Qubes.Lifecycle.Devices;
using Qubes.Lifecycle.DomainXml;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Events;
using Qubes.Model.Host;
using Qubes.Model.Labels;
using Qubes.Model.QubesDb;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Extensions.Tests.Devices;

public sealed class BlockSourceTests : IEventObserver
{
    private readonly QubesApp _app = new(new FixedHostFacts());
    private readonly MemoryHypervisor _hypervisor = new();
    private readonly List<string> _seen = [];
    private readonly List<BlockEntry> _host = [];
    private readonly BlockSource _source;
    private readonly QubesVM _work;
    private readonly QubesVM _usb;

    public BlockSourceTests()
    {
        foreach (Label label in LabelSet.BuiltIn)
        {
            _app.Labels.Load(label);
        }

        _app.Domains.Load(QubeClasses.AdminVM, default);
        _source = NewSource();
        _source.Register();
        _app.FinishLoading();
        QubesAppProperties.DefaultTemplate.Set(_app, (TemplateVM)Create(QubeClasses.TemplateVM, "fedora"));
        _work = Create(QubeClasses.AppVM, "work");
        _usb = Create(QubeClasses.AppVM, "sys-usb");
        _work.Runtime.State = _usb.Runtime.State = PowerState.Running;
        _app.Events.AddObserver(this);
    }

    private QubeDevices Devices => _work.DevicesOf("block");

    void IEventObserver.OnEvent(QubesEvent qubesEvent) => _seen.Add($"{qubesEvent.Subject.SubjectText} {qubesEvent.Name}".TrimStart());

    [Fact]
    public void What_a_qube_tells_in_its_database_is_offered_and_told()
    {
        QubeDatabase database = _usb.QubesDb;
        database.Attach(new MemoryQubesDb(database.TellChange));
        database.Write("/qubes-block-devices/sda/desc", "Stick (label)");
        Assert.Empty(_usb.DevicesOf("block").Exposed);
        database.Write(BlockEntries.Trigger, "");
        Assert.Equal("sys-usb:sda::None", Assert.Single(_usb.DevicesOf("block").Exposed).EventText);
        Assert.Equal(["sys-usb device-list-change:block", "sys-usb device-added:block"], DeviceEvents());
        database.Remove("/qubes-block-devices/sda/");
        database.Write(BlockEntries.Trigger, "");
        Assert.Empty(_usb.DevicesOf("block").Exposed);
    }

    [Fact]
    public async Task A_device_of_the_host_is_plugged_with_the_next_free_name()
    {
        await OfferAsync("loop0", "sdb", "sdc");
        await Devices.AttachAsync(Device("loop0"), []);
        await Devices.AttachAsync(Device("sdb"), [new("read-only", "True")]);
        await Devices.AttachAsync(Device("sdc"), [new("frontend-dev", "sdx")]);
        Assert.Equal(
            [
                new DomainDisk("vdi", "/dev/loop0", "raw", IsFile: false, IsReadOnly: false, "xvdi"),
                new DomainDisk("vdj", "/dev/sdb", "raw", IsFile: false, IsReadOnly: true, "xvdj"),
                new DomainDisk("vdx", "/dev/sdc", "raw", IsFile: false, IsReadOnly: false, "sdx"),
            ],
            _hypervisor.Disks["work"]);
        Assert.Equal(["frontend-dev=xvdi", "read-only=no"], Devices.Attached.First().Options.Select(o => $"{o.Key}={o.Value}"));
        Assert.All(_app.Domains.AdminVM.DevicesOf("block").Exposed, d => Assert.Equal("work", d.Attachment));
        await Devices.DetachAsync(Device("sdb"));
        Assert.Equal(["vdi", "vdx"], _hypervisor.Disks["work"].Select(d => d.Target));
    }

    [Theory]
    [InlineData("frontend-dev", "hda", "Invalid frontend-dev option value: hda")]
    [InlineData("frontend-dev", "xvd", "Invalid frontend-dev option value: xvd")]
    [InlineData("frontend-dev", "xvd<", "Invalid frontend-dev option value: xvd<")]
    [InlineData("frontend-dev", "xvdb", "frontend-dev xvdb is in use")]
    [InlineData("devtype", "floppy", "devtype option can only have 'disk' or 'cdrom' value")]
    [InlineData("devtype", "cdrom", "A drive cannot be plugged into a running qube: assign the device as required")]
    [InlineData("read-only", "maybe", "Invalid literal for boolean value: 'maybe'")]
    [InlineData("other", "1", "Unsupported option other")]
    public async Task An_option_that_makes_no_sense_is_refused(string name, string value, string expected)
    {
        await OfferAsync("loop0");
        _hypervisor.Disks["work"] = [new DomainDisk("vdb", "/srv/private.img", "raw", IsFile: true, IsReadOnly: false, "private")];
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => Devices.AttachAsync(Device("loop0"), [new(name, value)]));
        Assert.Equal((QubesErrorNames.Value, expected), (failure.WireName, failure.Message));
        Assert.Single(_hypervisor.Disks["work"]);
        await Devices.AttachAsync(Device("loop0"), []);
    }

    [Fact]
    public async Task A_device_that_cannot_be_written_is_attached_read_only()
    {
        _host.Add(new BlockEntry("sr0", "Drive ()", "10", "r", null));
        await _source.RefreshAsync(_app.Domains.AdminVM);
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => Devices.AttachAsync(Device("sr0"), [new("read-only", "no")]));
        Assert.Equal("This device can be attached only read-only", failure.Message);
        await Devices.AttachAsync(Device("sr0"), []);
        Assert.True(_hypervisor.Disks["work"].Single().IsReadOnly);
    }

    [Fact]
    public async Task Of_two_who_want_a_device_at_the_same_time_one_gets_it()
    {
        await OfferAsync("loop0");
        TaskCompletionSource plugged = new();
        _hypervisor.Ready = plugged.Task;
        Task first = Devices.AttachAsync(Device("loop0"), []);
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => _usb.DevicesOf("block").AttachAsync(Device("loop0"), []));
        Assert.Equal((QubesErrorNames.DeviceAlreadyAttached, "'Device dom0:loop0::0 already attached to work'"), (failure.WireName, failure.Message));
        plugged.SetResult();
        await first;
    }

    [Fact]
    public async Task A_qube_that_stops_meanwhile_has_nothing()
    {
        await OfferAsync("loop0");
        TaskCompletionSource plugged = new();
        _hypervisor.Ready = plugged.Task;
        Task attaching = Devices.AttachAsync(Device("loop0"), []);
        _work.Runtime.State = PowerState.Halted;
        await _work.FireAsync("domain-shutdown");
        plugged.SetResult();
        Assert.Equal(QubesErrorNames.VMNotRunning, (await Assert.ThrowsAsync<QubesException>(() => attaching)).WireName);
        Assert.Null(_app.Domains.AdminVM.DevicesOf("block").Exposed.Single().Attachment);
    }

    [Fact]
    public async Task Devices_of_other_qubes_are_refused_and_those_of_halted_ones_unknown()
    {
        QubeDatabase database = _usb.QubesDb;
        database.Attach(new MemoryQubesDb(database.TellChange));
        database.Write("/qubes-block-devices/sda/desc", "x");
        await _source.RefreshAsync(_usb);
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => Devices.AttachAsync(Device("sda", "sys-usb"), []));
        Assert.Equal("Block devices of qube 'sys-usb' cannot be attached: this hypervisor gives qubes the host's only", failure.Message);
        _usb.Runtime.State = PowerState.Halted;
        Assert.Equal("Cannot attach ambiguous block device.",
            (await Assert.ThrowsAsync<ProtocolErrorException>(() => Devices.AttachAsync(Device("sda", "sys-usb"), []))).Message);
    }

    [Fact]
    public async Task What_the_hypervisor_refuses_is_told_and_not_kept()
    {
        await OfferAsync("broken");
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => Devices.AttachAsync(Device("broken"), []));
        Assert.Equal("Failed to attach block device dom0:broken: it is broken", failure.Message);
        Assert.Empty(Devices.Attached);
    }

    [Fact]
    public async Task A_device_the_guest_holds_on_to_stays_attached()
    {
        await OfferAsync("loop0");
        await Devices.AttachAsync(Device("loop0"), []);
        _hypervisor.GuestHoldsOn = true;
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => Devices.DetachAsync(Device("loop0")));
        Assert.Equal("Qube 'work' did not release block device dom0:loop0", failure.Message);
        Assert.Single(Devices.Attached);
    }

    [Fact]
    public async Task Required_devices_are_a_part_of_the_domain()
    {
        await OfferAsync("loop0", "loop1");
        DomainDevices domain = new(["vda", "vdi"]);
        _source.AddRequired(_work, [(Offered("loop0"), []), (Offered("loop1"), [new("devtype", "cdrom")])], domain);
        Assert.Equal(
            [
                new DomainDisk("vdj", "/dev/loop0", "raw", IsFile: false, IsReadOnly: false, "xvdj"),
                new DomainDisk("sdd", "/dev/loop1", "raw", IsFile: false, IsReadOnly: true, "xvdd", IsCdrom: true),
            ],
            domain.Disks);
        Assert.Empty(Devices.Attached);
        Assert.Throws<QubesException>(() => _source.AddRequired(_usb, [(Offered("loop0"), [])], new DomainDevices([])));
        await _work.FireAsync("domain-spawn");
        Assert.Equal(2, Devices.Attached.Count());
    }

    [Fact]
    public async Task A_start_that_failed_gives_its_devices_back()
    {
        await OfferAsync("loop0");
        _source.AddRequired(_work, [(Offered("loop0"), [])], new DomainDevices([]));
        await _work.FireAsync("domain-start-failed");
        await _usb.DevicesOf("block").AttachAsync(Device("loop0"), []);
    }

    [Fact]
    public async Task A_restarted_daemon_finds_what_is_attached()
    {
        await OfferAsync("loop0");
        await Devices.AttachAsync(Device("loop0"), [new("read-only", "yes")]);
        _hypervisor.Disks["work"].Add(new DomainDisk("vdb", "/srv/private.img", "raw", IsFile: true, IsReadOnly: false, "private"));
        BlockSource restarted = NewSource();
        await restarted.AdoptAsync();
        AttachedDevice found = Assert.Single(restarted.AttachedTo(_work));
        Assert.Equal("dom0:loop0::0", found.Device.EventText);
        Assert.Equal(["frontend-dev=xvdi", "read-only=yes"], found.Options.Select(o => $"{o.Key}={o.Value}"));
    }

    private static VirtualDevice Device(string port, string backend = "dom0") => new(new DevicePort("block", backend, port), "*");

    private string[] DeviceEvents() => [.. _seen.Where(s => s.Contains(" device-", StringComparison.Ordinal))];

    private DeviceInfo Offered(string port) => _app.Domains.AdminVM.DevicesOf("block").Exposed.Single(d => d.Port.PortId == port);

    private BlockSource NewSource() => new(_app, _hypervisor, () => [.. _host], NullLogger.Instance);

    private async Task OfferAsync(params string[] ports)
    {
        _host.AddRange(ports.Select(p => new BlockEntry(p, "Disk ()", "4096", "w", null)));
        await _source.RefreshAsync(_app.Domains.AdminVM);
        _seen.Clear();
    }

    private QubesVM Create(QubeClass qubeClass, string name) => (QubesVM)_app.Domains.Create(new NewQube
    {
        Class = qubeClass, Name = QubeName.Parse(name), Label = _app.Labels.Find("red"),
    });
}
