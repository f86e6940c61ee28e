using Qubes.Linux;

namespace Qubes.Fuzz.Targets;

/// <summary>What the kernel says of a device: read or not.</summary>
internal sealed class KernelEventTarget : IFuzzTarget
{
    public string Name => "kernel-event";

    public IEnumerable<byte[]> Seeds =>
    [
        "add@/devices/virtual/block/loop0\0ACTION=add\0DEVPATH=/devices/virtual/block/loop0\0SUBSYSTEM=block\0"u8.ToArray(),
        "remove@/devices/pci0000:00/usb1/1-2\0SUBSYSTEM=usb"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (KernelEvent.TryParse(input, out KernelEvent? happened) && (happened.Action.Length == 0 || happened.DevicePath[0] != '/'))
        {
            throw new InvalidOperationException("an event of nothing");
        }
    }
}
