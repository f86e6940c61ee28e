using Qubes.Model.Changes;
using Qubes.Model.Devices;
using Qubes.Model.Events;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Tests.Devices;

public sealed class AssignTests
{
    private readonly DeviceSystem _devices = new();

    [Fact]
    public async Task Assigning_asks_first_and_tells_afterwards()
    {
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1", options: new KeyValuePair<string, string>("a", "b")));
        Assert.Equal(["work device-pre-assign:testclass", "work device-assign:testclass"], _devices.System.Seen);
        Assert.Equal("device=sys-usb:1-1:* options={'a': 'b'}", _devices.System.Keywords("device-assign:testclass"));
    }

    [Fact]
    public async Task A_refused_assignment_leaves_nothing_behind()
    {
        _devices.System.App.Events.OnAwaited(EmitterClass.LocalVM, "device-pre-assign:testclass", _ => Task.FromException(QubesErrors.Value("no")));
        await Assert.ThrowsAsync<QubesException>(() => _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1")));
        Assert.Empty(_devices.Devices.Assigned);
        Assert.Equal(["work device-pre-assign:testclass"], _devices.System.Seen);
    }

    [Fact]
    public async Task An_undone_change_takes_the_assignment_and_its_events_back()
    {
        using (ModelChange change = _devices.System.App.Changes.Begin(new ChangeOrigin("test", "test", DateTimeOffset.UnixEpoch)))
        {
            await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1"));
            await _devices.Devices.SetModeAsync(DeviceSystem.Device("1-1"), AssignmentModes.Required);
            await _devices.Devices.UnassignAsync(DeviceSystem.Device("1-1"));
        }

        Assert.Empty(_devices.Devices.Assigned);
        Assert.DoesNotContain("work device-assign:testclass", _devices.System.Seen);
    }

    [Fact]
    public async Task A_device_is_assigned_once_but_its_port_and_identity_may_be_assigned_apart()
    {
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1", "a"));
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1"));
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("*", "a"));
        QubesException failure = await Assert.ThrowsAsync<QubesException>(
            () => _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1", "a", AssignmentModes.Required)));
        Assert.Equal((QubesErrorNames.DeviceAlreadyAssigned, "'testclass device sys-usb:1-1:a already assigned to work'"), (failure.WireName, failure.Message));
    }

    [Fact]
    public async Task Only_what_attaches_automatically_is_assigned()
    {
        QubesException failure = await Assert.ThrowsAsync<QubesException>(
            () => _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1", mode: AssignmentModes.Manual)));
        Assert.Equal(QubesErrorNames.Value, failure.WireName);
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1"));
        failure = await Assert.ThrowsAsync<QubesException>(() => _devices.Devices.SetModeAsync(DeviceSystem.Device("1-1"), AssignmentModes.Manual));
        Assert.Equal("Cannot change assignment mode to 'manual'", failure.Message);
    }

    [Fact]
    public async Task A_changed_mode_keeps_the_options_and_the_same_mode_is_no_change()
    {
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1", options: new KeyValuePair<string, string>("a", "b")));
        _devices.System.Seen.Clear();
        await _devices.Devices.SetModeAsync(DeviceSystem.Device("1-1"), AssignmentModes.AutoAttach);
        Assert.Empty(_devices.System.Seen);
        await _devices.Devices.SetModeAsync(DeviceSystem.Device("1-1"), AssignmentModes.Required);
        Assert.Equal(["work device-pre-assign:testclass", "work device-assignment-changed:testclass"], _devices.System.Seen);
        DeviceAssignment changed = Assert.Single(_devices.Devices.Assigned);
        Assert.Equal((AssignmentModes.Required, "b"), (changed.Mode, Assert.Single(changed.Options).Value));
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => _devices.Devices.SetModeAsync(DeviceSystem.Device("1-2"), AssignmentModes.Required));
        Assert.Equal("Device sys-usb:1-2:* not assigned to work", failure.Message);
    }

    [Fact]
    public async Task Unassigning_names_the_very_assignment()
    {
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1", "a"));
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => _devices.Devices.UnassignAsync(DeviceSystem.Device("1-1")));
        Assert.Equal((QubesErrorNames.DeviceNotAssigned, "'testclass device sys-usb:1-1:* not assigned to work'"), (failure.WireName, failure.Message));
        _devices.System.Seen.Clear();
        await _devices.Devices.UnassignAsync(DeviceSystem.Device("1-1", "a"));
        Assert.Equal(["work device-unassign:testclass"], _devices.System.Seen);
        Assert.Empty(_devices.Devices.Assigned);
    }

    [Fact]
    public async Task Assignments_that_say_more_come_first()
    {
        foreach ((string port, string id) in new[] { ("*", "*"), ("*", "a"), ("1-1", "*"), ("1-1", "a") })
        {
            await _devices.Devices.AssignAsync(DeviceSystem.Assignment(port, id));
        }

        Assert.Equal(["sys-usb:1-1:a", "sys-usb:1-1:*", "sys-usb:*:a", "sys-usb:*:*"], _devices.Devices.MostSpecificFirst.Select(a => a.Device.EventText));
    }
}
