namespace Qubes.Protocol.Devices;

/// <summary>What people call the kind of a device.</summary>
public sealed class DeviceCategory
{
    private readonly DeviceInterface[] _patterns;

    private DeviceCategory(string name, params string[] patterns)
    {
        Name = name;
        _patterns = [.. patterns.Select(DeviceInterface.FromCode)];
    }

    /// <summary>No category fits.</summary>
    public static DeviceCategory Other { get; } = new("Other", "*******");

    /// <summary>All, in the order in which the first of equally good ones is taken.</summary>
    public static IReadOnlyList<DeviceCategory> All { get; } =
    [
        Other,
        new("Network", "u02****", "p0703**", "p02****", "ue0****"),
        new("Keyboard", "u03**01", "p0900**"),
        new("Mouse", "u03**02", "p0902**"),
        new("Input", "u03****", "p09****"),
        new("Printer", "u07****"),
        new("Camera", "p0903**", "u06****", "u0e****"),
        new("Microphone", "m******"),
        new("Audio", "p0403**", "p0401**", "p0408**", "u01****", "m******"),
        new("Multimedia", "u10****", "p03****", "p04****"),
        new("USB_Storage", "u08****"),
        new("Block_Storage", "b******"),
        new("Storage", "b******", "u08****", "p01****"),
        new("Bluetooth", "ue00101", "p0d11**"),
        new("Smart_Card_Readers", "u0b****"),
        new("Display", "p0300**", "p0380**"),
        new("Memory", "p05****"),
        new("PCI_Bridge", "p06****"),
        new("Docking_Station", "p0a****"),
        new("Processor", "p0b****", "p40****"),
        new("PCI_Serial_Bus", "p0c****"),
        new("PCI_USB", "p0c03**"),
    ];

    public string Name { get; }

    /// <summary>The category whose pattern says most about the interface without contradicting it.</summary>
    public static DeviceCategory Of(DeviceInterface deviceInterface)
    {
        DeviceCategory best = Other;
        int bestEqual = 0;
        foreach (DeviceCategory category in All)
        {
            foreach (DeviceInterface pattern in category._patterns)
            {
                int equal = DeviceInterface.Length - pattern.Code.Count(c => c == '*');
                if (equal > bestEqual && deviceInterface.Matches(pattern))
                {
                    (best, bestEqual) = (category, equal);
                }
            }
        }

        return best;
    }

    public override string ToString() => Name;
}
