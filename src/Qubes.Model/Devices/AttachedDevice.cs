using Qubes.Protocol.Devices;

namespace Qubes.Model.Devices;

/// <summary>A device that a qube has at the moment, with the options it was attached with.</summary>
public sealed record AttachedDevice(DeviceInfo Device, IReadOnlyList<KeyValuePair<string, string>> Options);
