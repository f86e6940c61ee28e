using System.Buffers;
using System.Globalization;
using System.Text;
using Qubes.Protocol.Devices;
using Qubes.Protocol.QubesDb;

namespace Qubes.Extensions.Usb;

/// <summary>
/// From what a backend says to devices. Layout in its QubesDB: <c>/qubes-usb-devices/KEY/{desc,interfaces,connected-to}</c>, KEY being the port
/// with <c>_</c> for <c>.</c>. All of it is untrusted: what makes no sense becomes "unknown", never an error.
/// </summary>
internal static class UsbEntries
{
    public const string Trigger = "/qubes-usb-devices";
    public const string Directory = Trigger + "/";

    /// <summary>A backend that tells of more is not believed the rest.</summary>
    public const int MostDevices = 256;

    private const int LongestPort = 32;
    private const int LongestText = 256;
    private const int MostInterfaces = 32;
    private const string NoNumber = "0000";

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");

    // What a name of a device can be addressed by.
    private static readonly SearchValues<char> IdCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

    /// <summary><c>BUS-PORT[.PORT...]</c>, all of them numbers.</summary>
    public static bool IsPort(ReadOnlySpan<char> untrustedName)
    {
        int dash = untrustedName.IndexOf('-');
        if (dash < 0 || untrustedName.Length > LongestPort || !IsNumber(untrustedName[..dash]))
        {
            return false;
        }

        foreach (Range part in untrustedName[(dash + 1)..].Split('.'))
        {
            if (!IsNumber(untrustedName[(dash + 1)..][part]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The port as a part of a path.</summary>
    public static string KeyOf(string port) => port.Replace('.', '_');

    /// <summary>Sorts the entries of a database by port. Names that no device can have are left out.</summary>
    public static IReadOnlyList<UsbEntry> FromDatabase(IEnumerable<QubesDbEntry> untrustedEntries)
    {
        SortedDictionary<string, UsbEntry> devices = new(StringComparer.Ordinal);
        foreach (QubesDbEntry entry in untrustedEntries)
        {
            string[] parts = entry.Path.StartsWith(Directory, StringComparison.Ordinal) ? entry.Path[Directory.Length..].Split('/') : [];
            if (parts.Length != 2 || parts[0].Contains('.', StringComparison.Ordinal))
            {
                continue;
            }

            string port = parts[0].Replace('_', '.');
            if (!IsPort(port) || (devices.Count >= MostDevices && !devices.ContainsKey(port)))
            {
                continue;
            }

            string value = Encoding.Latin1.GetString(entry.Value);
            UsbEntry device = devices.GetValueOrDefault(port) ?? new UsbEntry(port, null, null, null);
            devices[port] = parts[1] switch
            {
                "desc" => device with { UntrustedDescription = value },
                "interfaces" => device with { UntrustedInterfaces = value },
                "connected-to" => device with { UntrustedFrontend = value },
                _ => device,
            };
        }

        return [.. devices.Values];
    }

    /// <param name="entry">What the backend tells.</param>
    /// <param name="backend">Its name.</param>
    /// <param name="names">Of vendors and products.</param>
    /// <param name="isQube">Whether a name is one of a qube; only such a frontend is believed.</param>
    public static DeviceInfo ToDevice(UsbEntry entry, string backend, HardwareNames names, Func<string, bool> isQube)
    {
        (string vendor, string product, string? manufacturer, string? name, string? serial) = ParseDescription(entry.UntrustedDescription);
        DeviceInterface[] interfaces = ParseInterfaces(entry.UntrustedInterfaces);
        int vendorNumber = int.Parse(vendor, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        string? productName = names.Product(vendorNumber, int.Parse(product, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
        return new DeviceInfo
        {
            Device = new VirtualDevice(
                new DevicePort("usb", backend, entry.PortId), $"{vendor}:{product}:{IdPart(serial)}:{string.Concat(interfaces.Select(i => i.Code))}"),

            // As clients know it: where the product is not known, neither is told.
            Vendor = productName is null ? null : Ascii(names.Vendor(vendorNumber)),
            Product = Ascii(productName),
            Manufacturer = manufacturer,
            Name = name,
            Serial = serial,
            Interfaces = interfaces,
            Attachment = entry.UntrustedFrontend is { Length: > 0 } frontend && isQube(frontend) ? frontend : null,
        };
    }

    /// <summary>The text of a word: <c>\xHH</c> is a character, what is not printable ASCII becomes <c>_</c>; null if nothing is left.</summary>
    public static string? Decode(ReadOnlySpan<char> untrustedWord)
    {
        StringBuilder text = new();
        for (int i = 0; i < untrustedWord.Length && text.Length < LongestText; i++)
        {
            char c = untrustedWord[i];
            if (c == '\\' && i + 3 < untrustedWord.Length && untrustedWord[i + 1] == 'x'
                && byte.TryParse(untrustedWord.Slice(i + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte code))
            {
                c = (char)code;
                i += 3;
            }

            text.Append(c is >= ' ' and <= '~' ? c : '_');
        }

        string shown = text.ToString().Trim();
        return shown.Length == 0 ? null : shown;
    }

    private static bool IsNumber(ReadOnlySpan<char> text) => text.Length > 0 && !text.ContainsAnyExceptInRange('0', '9');

    private static string? Ascii(string? text) => text is null ? null : Decode(text);

    /// <summary>The serial number as calls can name it. Seven <c>_</c> stand for something else there.</summary>
    private static string IdPart(string? serial) =>
        string.Concat((serial ?? "").Select(c => IdCharacters.Contains(c) ? c : '_')).Replace("_______", "-------", StringComparison.Ordinal);

    private static (string Vendor, string Product, string? Manufacturer, string? Name, string? Serial) ParseDescription(string? untrustedDescription)
    {
        string[] words = (untrustedDescription ?? "").Split(' ');
        if (words.Length == 4 && words[0].Length == 9 && words[0][4] == ':' && !words[0].AsSpan(0, 4).ContainsAnyExcept(Hex) && !words[0].AsSpan(5).ContainsAnyExcept(Hex))
        {
            return (words[0][..4], words[0][5..], Decode(words[1]), Decode(words[2]), Decode(words[3]));
        }

        // Better than nothing for whoever looks at it.
        return (NoNumber, NoNumber, null, Decode((untrustedDescription ?? "").Replace(' ', '_')), null);
    }

    private static DeviceInterface[] ParseInterfaces(string? untrustedInterfaces)
    {
        DeviceInterface[] known =
        [
            .. (untrustedInterfaces ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Take(MostInterfaces)
                .Select(code => code.ToLowerInvariant())
                .Select(code => code.Length == 6 && !code.AsSpan().ContainsAnyExcept(Hex) ? DeviceInterface.Of("usb", code) : DeviceInterface.Unknown),
        ];
        return known.Length == 0 ? [DeviceInterface.Unknown] : known;
    }
}
