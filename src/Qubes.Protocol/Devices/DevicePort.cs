using Qubes.Protocol.Events;

namespace Qubes.Protocol.Devices;

/// <summary>Where a device is plugged in: a port of a backend qube, for one class of devices. <see cref="Any"/> stands for any.</summary>
/// <param name="DeviceClass">The class, such as <c>block</c>.</param>
/// <param name="Backend">The name of the qube that has the device.</param>
/// <param name="PortId">The port's name at that qube; has no <c>+</c> and no <c>:</c>.</param>
public sealed record DevicePort(string DeviceClass, string Backend, string PortId) : IEventValue
{
    /// <summary>What stands for any backend, port or device id, and for one that is not known.</summary>
    public const string Any = "*";

    /// <summary><c>BACKEND:PORT</c>.</summary>
    public string EventText => $"{Backend}:{PortId}";

    public override string ToString() => EventText;
}
