using System.Runtime.CompilerServices;
using Qubes.Model.Classes;

namespace Qubes.Model.Devices;

/// <summary>A source with what was told of it.</summary>
internal sealed class DeviceClassState(IDeviceSource source)
{
    // Goes with the qube.
    private readonly ConditionalWeakTable<LocalQube, ToldDevices> _told = [];

    public IDeviceSource Source { get; } = source;

    public ToldDevices Told(LocalQube backend) => _told.GetOrCreateValue(backend);
}
