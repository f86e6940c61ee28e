using Qubes.Protocol.Devices;

namespace Qubes.Extensions.Usb;

/// <summary>What is known of the USB devices of one qube.</summary>
internal sealed class UsbBackend
{
    /// <summary>What it last told.</summary>
    public IReadOnlyList<UsbEntry> Entries { get; set; } = [];

    public IReadOnlyList<DeviceInfo> Devices { get; set; } = [];

    /// <summary>The look at them that is under way.</summary>
    public Task? Looking { get; set; }

    /// <summary>Something changed since it began.</summary>
    public bool LookAgain { get; set; }
}
