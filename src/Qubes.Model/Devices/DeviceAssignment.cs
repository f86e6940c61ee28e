namespace Qubes.Model.Devices;

/// <summary>
/// What the store keeps of one device assignment of a qube. Immutable. The device layer gives it meaning; classes nobody knows
/// survive a load and save.
/// </summary>
public sealed record DeviceAssignment
{
    /// <summary>The device class, such as <c>pci</c>, <c>block</c>, <c>usb</c>.</summary>
    public required string DeviceClass { get; init; }

    /// <summary>The name of the qube that has the device; <c>*</c> for any.</summary>
    public required string Backend { get; init; }

    /// <summary>The port at the backend; <c>*</c> for any.</summary>
    public required string Port { get; init; }

    /// <summary>The device id; <c>*</c> for any.</summary>
    public required string DeviceId { get; init; }

    /// <summary><c>required</c>, <c>auto-attach</c> or <c>ask-to-attach</c>.</summary>
    public required string Mode { get; init; }

    /// <summary>Options in order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Options { get; init; } = [];

    /// <summary>Two assignments with equal identity are the same one.</summary>
    public bool IsSameDevice(DeviceAssignment other) => other is not null && other.DeviceClass == DeviceClass
        && other.Backend == Backend && other.Port == Port && other.DeviceId == DeviceId;

    /// <summary>How messages and history name it.</summary>
    public override string ToString() => $"{Backend}:{Port}:{DeviceId}";
}
