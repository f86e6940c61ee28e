using Qubes.Protocol.Devices;

namespace Qubes.Extensions.Usb;

/// <summary>What is known of the USB devices of one qube.</summary>
internal sealed class UsbBackend
{
    /// <summary>What it last told.</summary>
    public IReadOnlyList<UsbEntry> Entries { get; set; } = [];

    public IReadOnlyList<DeviceInfo> Devices { get; set; } = [];

    public DeviceLook Look { get; } = new();
}
