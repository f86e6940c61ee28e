using System.Globalization;
using System.Text;

namespace Qubes.Extensions.Usb;

/// <summary>
/// The USB devices of the host, without hubs and those that come from elsewhere by USB/IP: what a udev rule tells in the QubesDB of any other
/// backend. Reads files; not for the model loop.
/// </summary>
/// <param name="systemDirectory"><c>/sys</c>.</param>
internal sealed class HostUsbDevices(string systemDirectory)
{
    private const string HubClass = "09";

    public IReadOnlyList<UsbEntry> Scan()
    {
        string directory = Path.Combine(systemDirectory, "bus/usb/devices");
        if (!Directory.Exists(directory))
        {
            return [];
        }

        List<UsbEntry> found = [];
        foreach (string path in Directory.EnumerateFileSystemEntries(directory).Order(StringComparer.Ordinal))
        {
            // Beside devices there are root hubs (usb1) and interfaces (1-2:1.0).
            string name = Path.GetFileName(path);
            string device = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
            if (!UsbEntries.IsPort(name) || device.Contains("/vhci_hcd", StringComparison.Ordinal))
            {
                continue;
            }

            try
            {
                if (Read(device, "bDeviceClass") is { } deviceClass && deviceClass != HubClass)
                {
                    found.Add(new UsbEntry(name, Describe(device), Interfaces(device), UntrustedFrontend: null));
                }
            }
            catch (IOException)
            {
                // Unplugged while it was looked at.
            }

            if (found.Count == UsbEntries.MostDevices)
            {
                break;
            }
        }

        return found;
    }

    private static string Describe(string device) => string.Create(CultureInfo.InvariantCulture,
        $"{Read(device, "idVendor")}:{Read(device, "idProduct")} {Word(device, "manufacturer")} {Word(device, "product")} {Word(device, "serial")}");

    private static string Interfaces(string device)
    {
        StringBuilder codes = new(":");
        foreach (string part in Directory.EnumerateDirectories(device, Path.GetFileName(device) + ":*").Order(StringComparer.Ordinal))
        {
            codes.Append(Read(part, "bInterfaceClass")).Append(Read(part, "bInterfaceSubClass")).Append(Read(part, "bInterfaceProtocol")).Append(':');
        }

        return codes.ToString();
    }

    /// <summary>A text of the device itself as one word, the way udev writes it.</summary>
    private static string Word(string device, string file)
    {
        StringBuilder word = new();
        foreach (byte b in Encoding.UTF8.GetBytes(Read(device, file) ?? ""))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || "#+-.:=@_".Contains((char)b, StringComparison.Ordinal))
            {
                word.Append((char)b);
            }
            else
            {
                word.Append(CultureInfo.InvariantCulture, $"\\x{b:x2}");
            }
        }

        return word.ToString();
    }

    private static string? Read(string directory, string file)
    {
        string path = Path.Combine(directory, file);
        return File.Exists(path) ? File.ReadAllText(path).TrimEnd('\n') : null;
    }
}
