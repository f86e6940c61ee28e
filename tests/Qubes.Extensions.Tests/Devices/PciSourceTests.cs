using Qubes.Extensions.Pci;
using Qubes.Lifecycle.Devices;
using Qubes.Lifecycle.DomainXml;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Host;
using Qubes.Model.Labels;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Extensions.Tests.Devices;

public sealed class PciSourceTests
{
    private static readonly VirtualDevice Card = new(new DevicePort("pci", "dom0", "00_14.0"), "0x8086:0x8cb1::p0c0330");

    private readonly QubesApp _app = new(new FixedHostFacts());
    private readonly PciSource _source;
    private readonly QubesVM _work;

    public PciSourceTests()
    {
        foreach (Label label in LabelSet.BuiltIn)
        {
            _app.Labels.Load(label);
        }

        _app.Domains.Load(QubeClasses.AdminVM, default);
        _source = new PciSource(_app);
        _source.Register();
        _app.FinishLoading();
        QubesAppProperties.DefaultTemplate.Set(_app, (TemplateVM)Create(QubeClasses.TemplateVM, "fedora"));
        _work = Create(QubeClasses.AppVM, "work");
        _work.Runtime.State = PowerState.Running;
    }

    [Fact]
    public async Task Only_the_host_offers_PCI_devices()
    {
        await LoadAsync();
        Assert.Equal("dom0:00_14.0:0x8086:0x8cb1::p0c0330", Assert.Single(_source.Exposed(_app.Domains.AdminVM)).EventText);
        Assert.Empty(_source.Exposed(_work));
    }

    [Theory]
    [InlineData("pvh", "Can't attach PCI device to VM in pvh mode")]
    [InlineData("hvm", "PCI devices cannot be attached to a running qube: assign them as required and start it again")]
    public async Task A_running_qube_gets_none(string mode, string expected)
    {
        await LoadAsync();
        BootProperties.VirtMode.Set(_work, mode);
        Assert.Equal(expected, (await Assert.ThrowsAsync<QubesException>(() => _work.DevicesOf("pci").AttachAsync(Card, []))).Message);
    }

    [Fact]
    public async Task The_host_itself_gets_none()
    {
        await LoadAsync();
        Assert.Equal("Can't attach PCI device to dom0",
            (await Assert.ThrowsAsync<QubesException>(() => _app.Domains.AdminVM.DevicesOf("pci").AttachAsync(Card, []))).Message);
    }

    [Fact]
    public async Task A_required_device_is_the_qubes_until_it_stops()
    {
        await LoadAsync();
        DomainDevices domain = new([]);
        _source.AddRequired(_work, [(_source.Exposed(_app.Domains.AdminVM).Single(), [])], domain);
        Assert.Equal([new PciAddress(0, 0, 0x14, 0)], domain.HostDevices);
        Assert.Equal("work", _source.Exposed(_app.Domains.AdminVM).Single().Attachment);
        Assert.Equal(AssignmentModes.Manual, Assert.Single(_work.DevicesOf("pci").Attached).Mode);
        QubesException failure = Assert.Throws<QubesException>(() => _source.AddRequired(_work, [(_source.Exposed(_app.Domains.AdminVM).Single(), [])], domain));
        Assert.Equal(QubesErrorNames.DeviceAlreadyAttached, failure.WireName);
        Assert.Equal("PCI devices cannot be detached from a running qube",
            (await Assert.ThrowsAsync<QubesException>(() => _work.DevicesOf("pci").DetachAsync(Card))).Message);
        _work.Runtime.State = PowerState.Halted;
        await _work.FireAsync("domain-shutdown");
        Assert.Null(_source.Exposed(_app.Domains.AdminVM).Single().Attachment);
    }

    [Fact]
    public async Task A_running_qube_is_found_to_have_what_it_requires()
    {
        _work.Devices.Load(DeviceAssignment.Of(new AssignmentRequest(Card, AssignmentModes.Required, [])));
        await LoadAsync();
        Assert.Single(_source.AttachedTo(_work));
    }

    [Fact]
    public async Task An_assignment_by_bus_address_becomes_one_by_the_way_to_the_device()
    {
        VirtualDevice behind = new(new DevicePort("pci", "dom0", "00_1c.0-00_00.0"), "0x8086:0x0002::p020000");
        foreach (string port in new[] { "03_00.0", "04_00.0", "00_14.0" })
        {
            _work.Devices.Load(DeviceAssignment.Of(new AssignmentRequest(
                new VirtualDevice(new DevicePort("pci", "dom0", port), "*"), AssignmentModes.Required, [new("permissive", "True")])));
        }

        _source.BeginLoading(() =>
        [
            new PciDevice(new DeviceInfo { Device = Card }, new PciAddress(0, 0, 0x14, 0)),
            new PciDevice(new DeviceInfo { Device = behind }, new PciAddress(0, 3, 0, 0)),
        ]);
        await _source.RefreshAsync(_app.Domains.AdminVM);
        Assert.Equal(["00_1c.0-00_00.0", "04_00.0", "00_14.0"], _work.Devices.All.Select(a => a.Port));
        Assert.All(_work.Devices.All, a => Assert.Equal("permissive", Assert.Single(a.Options).Key));
    }

    [Theory]
    [InlineData("03_00.0", "00_1c.0-00_00.0")]
    [InlineData("0000_03_00.0", "00_1c.0-00_00.0")]
    [InlineData("0000:03:00.0", "00_1c.0-00_00.0")]
    [InlineData("pci_0000_03_00_0", "00_1c.0-00_00.0")]
    [InlineData("0001_03_00.0", "0001_03_00.0")]
    [InlineData("03_00.1", "03_00.1")]
    [InlineData("3_0.0", "3_0.0")]
    [InlineData("pci_", "pci_")]
    [InlineData("*", "*")]
    public async Task Every_old_form_of_an_address_is_understood(string old, string port)
    {
        _work.Devices.Load(DeviceAssignment.Of(new AssignmentRequest(
            new VirtualDevice(new DevicePort("pci", "dom0", old), "*"), AssignmentModes.Required, [])));
        VirtualDevice behind = new(new DevicePort("pci", "dom0", "00_1c.0-00_00.0"), "0x8086:0x0002::p020000");
        _source.BeginLoading(() => [new PciDevice(new DeviceInfo { Device = behind }, new PciAddress(0, 3, 0, 0))]);
        await _source.RefreshAsync(_app.Domains.AdminVM);
        Assert.Equal(port, Assert.Single(_work.Devices.All).Port);
    }

    private Task LoadAsync()
    {
        DeviceInfo info = new() { Device = Card, Interfaces = [DeviceInterface.Of("pci", "0c0330")] };
        _source.BeginLoading(() => [new PciDevice(info, new PciAddress(0, 0, 0x14, 0))]);
        return _source.RefreshAsync(_app.Domains.AdminVM);
    }

    private QubesVM Create(QubeClass qubeClass, string name) => (QubesVM)_app.Domains.Create(new NewQube
    {
        Class = qubeClass, Name = QubeName.Parse(name), Label = _app.Labels.Find("red"),
    });
}
