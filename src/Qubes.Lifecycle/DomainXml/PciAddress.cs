using System.Globalization;

namespace Qubes.Lifecycle.DomainXml;

/// <summary>Where a PCI device of the host is: <c>SSSS:BB:DD.F</c>, in hexadecimal.</summary>
public readonly record struct PciAddress(int Segment, int Bus, int Slot, int Function)
{
    /// <summary>Reads <c>SSSS:BB:DD.F</c> as the kernel writes it.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out PciAddress address)
    {
        address = default;
        if (text.Length != 12 || text[4] != ':' || text[7] != ':' || text[10] != '.'
            || !TryHex(text[..4], out int segment) || !TryHex(text[5..7], out int bus)
            || !TryHex(text[8..10], out int slot) || !TryHex(text[11..], out int function) || slot > 0x1f || function > 7)
        {
            return false;
        }

        address = new PciAddress(segment, bus, slot, function);
        return true;
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Segment:x4}:{Bus:x2}:{Slot:x2}.{Function:x1}");

    private static bool TryHex(ReadOnlySpan<char> text, out int value) =>
        int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}
