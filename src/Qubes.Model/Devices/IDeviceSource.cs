using Qubes.Model.Classes;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Devices;

/// <summary>
/// Knows one class of devices: which of them qubes have, to which qubes they are attached, and how to attach them. Registered in
/// <see cref="DeviceSources"/>; called on the model loop. What is listed is answered at once, from what the source learnt before.
/// </summary>
public interface IDeviceSource
{
    /// <summary>Lower-case letters, digits and <c>-</c>; part of the names of calls.</summary>
    string DeviceClass { get; }

    /// <summary>Required devices are a part of the domain; otherwise they are attached after the start, as others are.</summary>
    bool RequiredIsPartOfDomain => false;

    /// <summary>What the qube offers, as last learnt; nothing while it does not run. At most one device a port.</summary>
    IReadOnlyCollection<DeviceInfo> Exposed(LocalQube backend);

    /// <summary>What the qube has attached.</summary>
    IReadOnlyCollection<AttachedDevice> AttachedTo(LocalQube frontend);

    /// <summary>
    /// Learns anew what the qube offers, where that is not told to the source by itself. A change is announced as any other
    /// (<see cref="DeviceSources.AnnounceAsync"/>).
    /// </summary>
    Task RefreshAsync(LocalQube backend) => Task.CompletedTask;

    /// <summary>Refuses an assignment that could never be carried out.</summary>
    /// <exception cref="QubesException">Why.</exception>
    void CheckAssignment(LocalQube frontend, VirtualDevice device, IReadOnlyList<KeyValuePair<string, string>> options)
    {
    }

    /// <summary>
    /// Attaches; the handlers of <c>device-pre-attach</c> have agreed. Two calls may overlap: the source decides which one gets the device.
    /// </summary>
    /// <returns>The options in force: those given and those the source chose itself.</returns>
    /// <exception cref="QubesException">It could not; nothing is attached then.</exception>
    Task<IReadOnlyList<KeyValuePair<string, string>>> AttachAsync(
        LocalQube frontend, DeviceInfo device, IReadOnlyList<KeyValuePair<string, string>> options);

    /// <summary>Detaches; the handlers of <c>device-pre-detach</c> have agreed.</summary>
    /// <exception cref="QubesException">It could not; the device is still attached then.</exception>
    Task DetachAsync(LocalQube frontend, DevicePort port);

    /// <summary>The qube has stopped, so what was attached to it no longer is.</summary>
    void ForgetAttachments(LocalQube frontend);
}
