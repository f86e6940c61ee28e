using System.Text;
using Qubes.Extensions.Block;
using Qubes.Protocol.Devices;
using Qubes.Protocol.QubesDb;

namespace Qubes.Fuzz.Targets;

/// <summary>What a guest says of its block devices: whatever it is, the list of devices can be told.</summary>
internal sealed class BlockEntriesTarget : IFuzzTarget
{
    public string Name => "block-entries";

    // A line for each entry: PATH '=' VALUE
    public IEnumerable<byte[]> Seeds =>
    [
        "sda/desc=Stick_One (label)\nsda/size=4096\nsda/mode=w\nsda/parent=4-4.1:1.0\nsda1/parent=sda"u8.ToArray(),
        "loop0/desc=/home/user/disk.img\nloop0/mode=r\na/parent=b\nb/parent=a"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        List<QubesDbEntry> entries = [];
        foreach (string line in Encoding.Latin1.GetString(input).Split('\n'))
        {
            string[] parts = line.Split('=', 2);
            entries.Add(new QubesDbEntry(BlockEntries.Directory + parts[0], Encoding.Latin1.GetBytes(parts[^1])));
        }

        foreach (BlockDevice device in BlockEntries.ToDevices(BlockEntries.FromDatabase(entries), "sys-usb", _ => "1234:5678"))
        {
            DeviceInfo read = DeviceInfoText.ParseLine(DeviceInfoText.WriteLine(device.Info), "block", "sys-usb");
            if (read.Device != device.Info.Device)
            {
                throw new InvalidOperationException("a device does not survive its line");
            }
        }
    }
}
