using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Devices;

/// <summary>
/// The devices of one class from the point of view of one qube: what it offers, what it is assigned, what it has attached; and all
/// that can be done about it, with the events in order.
/// </summary>
public sealed class QubeDevices
{
    private readonly LocalQube _qube;

    internal QubeDevices(LocalQube qube, string deviceClass)
    {
        _qube = qube;
        DeviceClass = deviceClass;
    }

    public string DeviceClass { get; }

    /// <summary>Null for a class that no source knows: then there are assignments only.</summary>
    public IDeviceSource? Source => _qube.App.Devices.Find(DeviceClass);

    public IEnumerable<DeviceInfo> Exposed => Source?.Exposed(_qube) ?? [];

    public IEnumerable<DeviceAssignment> Assigned => _qube.Devices.OfClass(DeviceClass);

    /// <summary>The assignments, those that say more about the device before those that say less.</summary>
    public IEnumerable<DeviceAssignment> MostSpecificFirst => Assigned.OrderDescending(DeviceAssignment.BySpecificity);

    /// <summary>What is attached: as the assignment that names this very device, else as a manual attachment.</summary>
    public IEnumerable<DeviceAssignment> Attached => (Source?.AttachedTo(_qube) ?? []).Select(attached =>
        Assigned.FirstOrDefault(a => a.Device == attached.Device.Device)
        ?? DeviceAssignment.Of(new AssignmentRequest(attached.Device.Device, AssignmentModes.Manual, attached.Options)));

    /// <summary>Attaches the one device that is meant.</summary>
    public async Task AttachAsync(VirtualDevice device, IReadOnlyList<KeyValuePair<string, string>> options)
    {
        ArgumentNullException.ThrowIfNull(device);
        RefuseIfHalted();
        if (DeviceResolver.Resolve(_qube.App, device) is not [DeviceInfo found])
        {
            throw QubesErrors.Protocol($"Cannot attach ambiguous {DeviceClass} device.");
        }

        RefuseIfAttached(found);
        await AttachKnownAsync(found, options);
    }

    /// <summary>Detaches the device at a port, or with port any the device with the identity.</summary>
    public async Task DetachAsync(VirtualDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        VirtualDevice wanted = device.Port.PortId == DevicePort.Any ? device : device with { DeviceId = DevicePort.Any };
        IDeviceSource? source = Source;
        if (source?.AttachedTo(_qube).FirstOrDefault(a => wanted.Matches(a.Device.Device)) is not { } attached)
        {
            throw QubesErrors.DeviceNotAssigned($"{DeviceClass} device {device.Port} not attached to {_qube.Name}");
        }

        if (!_qube.IsHalted && Assigned.Any(a => a.Mode == AssignmentModes.Required && a.Device.Matches(attached.Device.Device)))
        {
            throw QubesErrors.VMNotHalted(_qube.Name,
                "Can not detach a required device from a non halted qube. You need to unassign device first.");
        }

        EventArguments arguments = EventArguments.Of("port", attached.Device.Port);
        await _qube.FirePreAsync($"device-pre-detach:{DeviceClass}", arguments);
        await source.DetachAsync(_qube, attached.Device.Port);
        _qube.App.Devices.NoteAttachment(attached.Device.Port, frontend: null);
        _qube.App.Devices.TouchAttachments(_qube);
        await _qube.FireAsync($"device-detach:{DeviceClass}", arguments);
    }

    /// <summary>Adds an assignment, once its handlers agreed. Inside a change.</summary>
    public async Task AssignAsync(DeviceAssignment assignment)
    {
        ArgumentNullException.ThrowIfNull(assignment);
        RefuseIfAssigned(assignment);
        if (!AssignmentModes.IsAutomatic(assignment.Mode))
        {
            throw QubesErrors.Value("Only devices that attach automatically can be assigned");
        }

        Source?.CheckAssignment(_qube, assignment.Device, assignment.Options);
        EventArguments arguments = EventArguments.Of(("device", assignment.Device), ("options", assignment.Options));
        await _qube.FirePreAsync($"device-pre-assign:{DeviceClass}", arguments);
        RefuseIfGone();
        RefuseIfAssigned(assignment);
        _qube.Devices.Add(assignment);
        await _qube.FireAsync($"device-assign:{DeviceClass}", arguments);
    }

    /// <summary>Changes the mode of an assignment; its options stay. Inside a change.</summary>
    public async Task SetModeAsync(VirtualDevice device, string mode)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (!AssignmentModes.IsAutomatic(mode))
        {
            throw QubesErrors.Value("Cannot change assignment mode to 'manual'");
        }

        DeviceAssignment current = FindAssigned();
        if (current.Mode == mode)
        {
            return;
        }

        await _qube.FirePreAsync($"device-pre-assign:{DeviceClass}", EventArguments.Of(("device", device), ("options", current.Options)));
        RefuseIfGone();
        current = FindAssigned();
        _qube.Devices.Replace(current, current with { Mode = mode });
        await _qube.FireAsync($"device-assignment-changed:{DeviceClass}", EventArguments.Of("device", device));

        DeviceAssignment FindAssigned() => Assigned.FirstOrDefault(a => a.Device == device)
            ?? throw QubesErrors.Value($"Device {device} not assigned to {_qube.Name}");
    }

    /// <summary>Removes an assignment. The device stays attached if it is. Inside a change.</summary>
    public async Task UnassignAsync(VirtualDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        DeviceAssignment assignment = Assigned.FirstOrDefault(a => a.Device == device)
            ?? throw QubesErrors.DeviceNotAssigned($"{DeviceClass} device {device} not assigned to {_qube.Name}");
        _qube.Devices.Remove(assignment);
        await _qube.FireAsync($"device-unassign:{DeviceClass}", EventArguments.Of("device", device));
    }

    /// <summary>Attaches a device that was found to be there and free.</summary>
    internal async Task AttachKnownAsync(DeviceInfo device, IReadOnlyList<KeyValuePair<string, string>> options)
    {
        IDeviceSource source = Source ?? throw QubesErrors.General($"Device class '{DeviceClass}' is not available");
        await _qube.FirePreAsync($"device-pre-attach:{DeviceClass}", EventArguments.Of(("device", device), ("options", options)));

        // Handlers take their time: the qube may have stopped, another call may have been quicker.
        RefuseIfHalted();
        RefuseIfAttached(device);
        IReadOnlyList<KeyValuePair<string, string>> inForce = await source.AttachAsync(_qube, device, options);
        _qube.App.Devices.NoteAttachment(device.Port, _qube);
        _qube.App.Devices.TouchAttachments(_qube);
        await _qube.FireAsync($"device-attach:{DeviceClass}", EventArguments.Of(("device", device), ("options", inForce)));
    }

    private void RefuseIfHalted()
    {
        if (_qube.IsHalted)
        {
            throw QubesErrors.VMNotRunning(_qube.Name, "VM not running, cannot attach device, do you mean `assign`?");
        }
    }

    private void RefuseIfGone()
    {
        if (!_qube.IsInCollection)
        {
            throw QubesErrors.VMNotFound(_qube.Name);
        }
    }

    private void RefuseIfAttached(DeviceInfo device)
    {
        if (Source?.AttachedTo(_qube).Any(a => a.Device.Device == device.Device) == true)
        {
            throw QubesErrors.DeviceAlreadyAttached($"device {device} of class {DeviceClass} already attached to {_qube.Name}");
        }
    }

    private void RefuseIfAssigned(DeviceAssignment assignment)
    {
        if (Assigned.Any(assignment.IsSameDevice))
        {
            throw QubesErrors.DeviceAlreadyAssigned($"{DeviceClass} device {assignment.Device} already assigned to {_qube.Name}");
        }
    }
}
