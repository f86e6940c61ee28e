using Qubes.Model.Devices;
using Qubes.Model.Foreign;

namespace Qubes.Store.Format;

/// <summary>The places of a device assignment: <c>device</c> with the assignment's key, <c>option</c> with key and name.</summary>
internal static class ForeignKeys
{
    /// <summary>The place of whole <c>devices</c> elements whose assignments cannot be used.</summary>
    public const string UnusableDevices = "unusable devices";

    /// <summary>No part can hold a line feed, which an attribute never does unescaped.</summary>
    public static string Of(DeviceAssignment device) => $"{device.DeviceClass}\n{device.Backend}\n{device.Port}\n{device.DeviceId}\n";

    /// <summary>Adds what an assignment says of its own to what its qube says.</summary>
    public static void AddDevice(this ForeignParts parts, DeviceAssignment device, ForeignParts ofDevice)
    {
        string key = Of(device);
        foreach ((ForeignPlace place, ForeignXml foreign) in ofDevice.All)
        {
            parts.Add(place.Element, key + place.Item, foreign);
        }
    }
}
