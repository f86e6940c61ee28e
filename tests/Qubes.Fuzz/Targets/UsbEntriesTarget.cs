using System.Text;
using Qubes.Extensions;
using Qubes.Extensions.Usb;
using Qubes.Protocol.Devices;
using Qubes.Protocol.QubesDb;

namespace Qubes.Fuzz.Targets;

/// <summary>What a guest says of its USB devices: whatever it is, the list of devices can be told and each of them named in a call.</summary>
internal sealed class UsbEntriesTarget : IFuzzTarget
{
    public string Name => "usb-entries";

    // A line for each entry: PATH '=' VALUE
    public IEnumerable<byte[]> Seeds =>
    [
        Encoding.ASCII.GetBytes("1-4_2/desc=046d:c52b Logi\\x20tech USB\\x20Receiver A+B\n1-4_2/interfaces=:030101:080650:\n1-4_2/connected-to=work"),
        "2-1/desc=1-2 x\n2-1/interfaces=::zz\n1-1.1/desc=a\nusb1/desc=b"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        List<QubesDbEntry> entries = [];
        foreach (string line in Encoding.Latin1.GetString(input).Split('\n'))
        {
            string[] parts = line.Split('=', 2);
            entries.Add(new QubesDbEntry(UsbEntries.Directory + parts[0], Encoding.Latin1.GetBytes(parts[^1])));
        }

        foreach (UsbEntry entry in UsbEntries.FromDatabase(entries))
        {
            DeviceInfo device = UsbEntries.ToDevice(entry, "sys-usb", HardwareNames.Empty, name => name == "work");
            if (DeviceInfoText.ParseLine(DeviceInfoText.WriteLine(device), "usb", "sys-usb").Device != device.Device
                || VirtualDevice.ParseArgument(device.Device.ToArgument(), "usb") != device.Device)
            {
                throw new InvalidOperationException("a device does not survive its line or its argument");
            }
        }
    }
}
