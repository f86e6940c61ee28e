using System.Globalization;

namespace Qubes.Lifecycle.DomainXml;

/// <summary>Where a PCI device of the host is: <c>SSSS:BB:DD.F</c>, in hexadecimal.</summary>
public readonly record struct PciAddress(int Segment, int Bus, int Slot, int Function)
{
    private const int SegmentLength = 5;
    private const int WholeLength = 12;

    /// <summary>Reads <c>SSSS:BB:DD.F</c> as the kernel writes it.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out PciAddress address)
    {
        address = default;
        if (text.Length != WholeLength || text[4] != ':' || text[7] != ':' || text[10] != '.'
            || !TryHex(text[..4], out int segment) || !TryHex(text[5..7], out int bus)
            || !TryHex(text[8..10], out int slot) || !TryHex(text[11..], out int function) || slot > 0x1f || function > 7)
        {
            return false;
        }

        address = new PciAddress(segment, bus, slot, function);
        return true;
    }

    /// <summary>
    /// Reads what old stores and libvirt have for it: <c>[pci_][SSSS_]BB_DD.F</c>, with <c>_</c> or <c>:</c> between the parts and <c>.</c> or
    /// <c>_</c> before the last. Without a segment it is the first.
    /// </summary>
    public static bool TryParseLoosely(ReadOnlySpan<char> text, out PciAddress address)
    {
        const string prefix = "pci_";
        ReadOnlySpan<char> given = text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text;
        Span<char> whole = stackalloc char[WholeLength];
        if (given.Length is not (WholeLength or WholeLength - SegmentLength))
        {
            address = default;
            return false;
        }

        "0000:".CopyTo(whole);
        given.CopyTo(whole[^given.Length..]);
        whole[4..8].Replace('_', ':');
        whole[10..11].Replace('_', '.');
        return TryParse(whole, out address);
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Segment:x4}:{Bus:x2}:{Slot:x2}.{Function:x1}");

    private static bool TryHex(ReadOnlySpan<char> text, out int value) =>
        int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}
