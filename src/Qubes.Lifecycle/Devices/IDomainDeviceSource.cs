using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Devices;

/// <summary>A source whose required devices are a part of the domain from its start on.</summary>
public interface IDomainDeviceSource : IDeviceSource
{
    bool IDeviceSource.RequiredIsPartOfDomain => true;

    /// <summary>
    /// The qube is about to be launched: adds to its domain what it requires. From here on the devices are the qube's, until its stop,
    /// or until the start failed (<c>domain-start-failed</c>).
    /// </summary>
    /// <param name="qube">Whose domain it is.</param>
    /// <param name="devices">The devices that its required assignments stand for, each once, with the options of the assignment.</param>
    /// <param name="domain">Where to add them.</param>
    /// <exception cref="QubesException">One of them cannot be given to it.</exception>
    void AddRequired(QubesVM qube, IReadOnlyList<(DeviceInfo Device, IReadOnlyList<KeyValuePair<string, string>> Options)> devices, DomainDevices domain);
}
