using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Tests.Devices;

public sealed class AttachTests
{
    private readonly DeviceSystem _devices = new();

    [Fact]
    public async Task Attaching_asks_then_attaches_then_tells()
    {
        _devices.Source.Put("sys-usb", "1-1");
        await _devices.Devices.AttachAsync(DeviceSystem.Device("1-1"), [new("a", "b")]);
        Assert.Equal(["work device-pre-attach:testclass", "work device-attach:testclass"], _devices.System.Seen);
        Assert.Equal("device=sys-usb:1-1:dead:beef options={'a': 'b'}", _devices.System.Keywords("device-pre-attach:testclass"));
        Assert.Equal("device=sys-usb:1-1:dead:beef options={'a': 'b', 'chosen': '1'}", _devices.System.Keywords("device-attach:testclass"));
        Assert.Equal("work", Assert.Single(_devices.Backend.DevicesOf("testclass").Exposed).Attachment);
    }

    [Fact]
    public async Task A_refused_attachment_is_not_made()
    {
        _devices.Source.Put("sys-usb", "1-1");
        _devices.System.App.Events.OnAwaited(EmitterClass.LocalVM, "device-pre-attach:*", _ => Task.FromException(QubesErrors.Value("no")));
        await Assert.ThrowsAsync<QubesException>(() => _devices.Devices.AttachAsync(DeviceSystem.Device("1-1"), []));
        Assert.Empty(_devices.Source.Asked);
        Assert.Equal(["work device-pre-attach:testclass"], _devices.System.Seen);
    }

    [Fact]
    public async Task A_failed_attachment_is_not_told()
    {
        _devices.Source.Put("sys-usb", "1-1");
        _devices.Source.IsBroken = true;
        Assert.Equal("broken", (await Assert.ThrowsAsync<QubesException>(() => _devices.Devices.AttachAsync(DeviceSystem.Device("1-1"), []))).Message);
        Assert.Equal(["work device-pre-attach:testclass"], _devices.System.Seen);
        Assert.Empty(_devices.Devices.Attached);
    }

    [Fact]
    public async Task A_halted_qube_gets_nothing()
    {
        _devices.Source.Put("sys-usb", "1-1");
        _devices.Work.Runtime.State = PowerState.Halted;
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => _devices.Devices.AttachAsync(DeviceSystem.Device("1-1"), []));
        Assert.Equal((QubesErrorNames.VMNotRunning, "VM not running, cannot attach device, do you mean `assign`?"), (failure.WireName, failure.Message));
    }

    [Fact]
    public async Task A_qube_that_stopped_while_handlers_thought_gets_nothing()
    {
        _devices.Source.Put("sys-usb", "1-1");
        _devices.System.App.Events.OnAwaited(EmitterClass.LocalVM, "device-pre-attach:*", async _ =>
        {
            await Task.Yield();
            _devices.Work.Runtime.State = PowerState.Halted;
        });
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => _devices.Devices.AttachAsync(DeviceSystem.Device("1-1"), []));
        Assert.Equal(QubesErrorNames.VMNotRunning, failure.WireName);
        Assert.Empty(_devices.Source.Asked);
    }

    [Theory]
    [InlineData("1-1", "other")]
    [InlineData("1-3", "*")]
    [InlineData("*", "*")]
    [InlineData("*", DeviceInfo.UnknownId)]
    public async Task It_must_be_one_device_that_is_meant(string port, string id)
    {
        _devices.Source.Put("sys-usb", "1-1", "a");
        _devices.Source.Put("sys-usb", "1-2", "b");
        _devices.Source.Put("sys-usb", "1-4", DeviceInfo.UnknownId);
        ProtocolErrorException failure = await Assert.ThrowsAsync<ProtocolErrorException>(() => _devices.Devices.AttachAsync(DeviceSystem.Device(port, id), []));
        Assert.Equal("Cannot attach ambiguous testclass device.", failure.Message);
    }

    [Fact]
    public async Task A_device_is_found_by_its_identity_wherever_it_is()
    {
        _devices.Source.Put("sys-usb", "1-1", "a");
        _devices.Source.Put("sys-usb", "1-2", "b");
        await _devices.Devices.AttachAsync(DeviceSystem.Device("*", "b"), []);
        Assert.Equal("sys-usb:1-2:b", Assert.Single(_devices.Devices.Attached).Device.EventText);
    }

    [Fact]
    public async Task A_device_is_attached_once()
    {
        _devices.Source.Put("sys-usb", "1-1");
        await _devices.Devices.AttachAsync(DeviceSystem.Device("1-1"), []);
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => _devices.Devices.AttachAsync(DeviceSystem.Device("1-1"), []));
        Assert.Equal((QubesErrorNames.DeviceAlreadyAttached, "'device sys-usb:1-1:dead:beef of class testclass already attached to work'"),
            (failure.WireName, failure.Message));
    }

    [Fact]
    public async Task Detaching_asks_then_detaches_then_tells()
    {
        _devices.Source.Put("sys-usb", "1-1");
        await _devices.Devices.AttachAsync(DeviceSystem.Device("1-1"), []);
        _devices.System.Seen.Clear();
        await _devices.Devices.DetachAsync(DeviceSystem.Device("1-1", "whatever"));
        Assert.Equal(["work device-pre-detach:testclass", "work device-detach:testclass"], _devices.System.Seen);
        Assert.Equal("port=sys-usb:1-1", _devices.System.Keywords("device-detach:testclass"));
        Assert.Empty(_devices.Devices.Attached);
    }

    [Fact]
    public async Task The_same_port_of_another_backend_is_another_device()
    {
        AppVM other = _devices.Run("other");
        _devices.Source.AttachOutside(_devices.Work, _devices.Source.Put(other.Name, "1-1"));
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => _devices.Devices.DetachAsync(DeviceSystem.Device("1-1")));
        Assert.Equal((QubesErrorNames.DeviceNotAssigned, "'testclass device sys-usb:1-1 not attached to work'"), (failure.WireName, failure.Message));
    }

    [Fact]
    public async Task A_required_device_stays_while_the_qube_runs()
    {
        _devices.Source.AttachOutside(_devices.Work, _devices.Source.Put("sys-usb", "1-1"));
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1", mode: AssignmentModes.Required));
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => _devices.Devices.DetachAsync(DeviceSystem.Device("1-1")));
        Assert.Equal(QubesErrorNames.VMNotHalted, failure.WireName);
        Assert.Equal("Can not detach a required device from a non halted qube. You need to unassign device first.", failure.Message);
        await _devices.Devices.UnassignAsync(DeviceSystem.Device("1-1"));
        await _devices.Devices.DetachAsync(DeviceSystem.Device("1-1"));
    }

    [Fact]
    public async Task An_attachment_is_shown_as_the_assignment_that_names_it_or_as_manual()
    {
        _devices.Source.Put("sys-usb", "1-1", "a");
        await _devices.Devices.AttachAsync(DeviceSystem.Device("1-1"), []);
        Assert.Equal(AssignmentModes.Manual, Assert.Single(_devices.Devices.Attached).Mode);
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1", "a"));
        Assert.Equal(AssignmentModes.AutoAttach, Assert.Single(_devices.Devices.Attached).Mode);
    }
}
