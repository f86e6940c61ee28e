using System.Globalization;
using System.Text;
using Qubes.Lifecycle.DomainXml;
using Qubes.Protocol.Devices;

namespace Qubes.Extensions.Pci;

/// <summary>
/// The PCI devices of the host, as the kernel tells them. A port is the way to the device from its root bus, which other devices
/// coming and going do not change. Reads files; not for the model loop.
/// </summary>
/// <param name="systemDirectory"><c>/sys</c>.</param>
/// <param name="backend">The name of the qube that has them.</param>
internal sealed class HostPciDevices(string systemDirectory, string backend)
{
    public IReadOnlyList<PciDevice> Scan(HardwareNames names)
    {
        string devices = Path.Combine(systemDirectory, "bus/pci/devices");
        if (!Directory.Exists(devices))
        {
            return [];
        }

        List<PciDevice> found = [];
        foreach (string path in Directory.EnumerateFileSystemEntries(devices).Order(StringComparer.Ordinal))
        {
            string device = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
            if (PciAddress.TryParse(Path.GetFileName(path), out PciAddress address) && PortOf(device) is { } port
                && Describe(device, address, port, names) is { } known)
            {
                found.Add(known);
            }
        }

        return found;
    }

    // Of …/pci0000:00/0000:00:1c.0/0000:02:00.0: one BB_DD.F for each device on the way, joined by '-'. BB counts from the first bus behind the
    // bridge before, so that it stays when buses are numbered anew; a segment other than 0 stands in front.
    private static string? PortOf(string device)
    {
        List<string> way = [];
        string at = device;
        while (PciAddress.TryParse(Path.GetFileName(at), out _))
        {
            way.Insert(0, at);
            at = Path.GetDirectoryName(at)!;
        }

        StringBuilder port = new();
        int firstBus = 0;
        foreach (string hop in way)
        {
            if (!PciAddress.TryParse(Path.GetFileName(hop), out PciAddress address) || address.Bus < firstBus)
            {
                return null;
            }

            if (port.Length == 0 && address.Segment != 0)
            {
                port.Append(CultureInfo.InvariantCulture, $"{address.Segment:x4}_");
            }

            port.Append(hop == way[0] ? "" : "-");
            port.Append(CultureInfo.InvariantCulture, $"{address.Bus - firstBus:x2}_{address.Slot:x2}.{address.Function:x1}");
            if (hop != device && !int.TryParse(Read(hop, "secondary_bus_number"), NumberStyles.None, CultureInfo.InvariantCulture, out firstBus))
            {
                return null;
            }
        }

        return port.Length == 0 ? null : port.ToString();
    }

    private PciDevice? Describe(string device, PciAddress address, string port, HardwareNames names)
    {
        if (!TryReadHex(device, "vendor", out int vendor) || !TryReadHex(device, "device", out int product) || !TryReadHex(device, "class", out int kind))
        {
            return null;
        }

        DeviceInterface known = DeviceInterface.Of("pci", kind.ToString("x6", CultureInfo.InvariantCulture));
        string id = string.Create(CultureInfo.InvariantCulture, $"0x{vendor:x4}:0x{product:x4}::{known.Code}");
        return new PciDevice(
            new DeviceInfo
            {
                Device = new VirtualDevice(new DevicePort("pci", backend, port), id),
                Vendor = names.Vendor(vendor),
                Product = names.Product(vendor, product),
                Interfaces = [known],
                Data = [new("sbdf", address.ToString())],
            },
            address);
    }

    // 0x8086
    private static bool TryReadHex(string directory, string file, out int value)
    {
        value = 0;
        return Read(directory, file) is ['0', 'x', .. var digits]
            && int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value) && value is >= 0 and <= 0xffffff;
    }

    private static string? Read(string directory, string file)
    {
        string path = Path.Combine(directory, file);
        return File.Exists(path) ? File.ReadAllText(path).TrimEnd('\n') : null;
    }
}
