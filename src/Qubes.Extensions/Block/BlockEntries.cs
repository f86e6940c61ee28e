using System.Buffers;
using System.Globalization;
using System.Text;
using Qubes.Protocol.Devices;
using Qubes.Protocol.QubesDb;

namespace Qubes.Extensions.Block;

/// <summary>
/// From what a backend says to devices. Layout in its QubesDB: <c>/qubes-block-devices/PORT/{desc,size,mode,parent}</c>. All of it is
/// untrusted: what makes no sense becomes "unknown", never an error.
/// </summary>
internal static class BlockEntries
{
    public const string Trigger = "/qubes-block-devices";
    public const string Directory = Trigger + "/";

    /// <summary>A backend that tells of more is not believed the rest.</summary>
    public const int MostDevices = 256;

    private const int LongestPort = 12;
    private const int DeepestParent = 4;

    private static readonly SearchValues<char> PortCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");
    private static readonly SearchValues<char> ParentCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-.");
    private static readonly SearchValues<char> TextCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789()+,-.:=_/ ");

    public static bool IsPort(ReadOnlySpan<char> untrustedName) =>
        untrustedName.Length is > 0 and <= LongestPort && !untrustedName.ContainsAnyExcept(PortCharacters);

    /// <summary>Sorts the entries of a database by port. Names that no device can have are left out.</summary>
    public static IReadOnlyList<BlockEntry> FromDatabase(IEnumerable<QubesDbEntry> untrustedEntries)
    {
        SortedDictionary<string, BlockEntry> devices = new(StringComparer.Ordinal);
        foreach (QubesDbEntry entry in untrustedEntries)
        {
            string[] parts = entry.Path.StartsWith(Directory, StringComparison.Ordinal) ? entry.Path[Directory.Length..].Split('/') : [];
            if (parts.Length != 2 || !IsPort(parts[0]) || (devices.Count >= MostDevices && !devices.ContainsKey(parts[0])))
            {
                continue;
            }

            string value = Encoding.Latin1.GetString(entry.Value);
            BlockEntry device = devices.GetValueOrDefault(parts[0]) ?? new BlockEntry(parts[0], null, null, null, null);
            devices[parts[0]] = parts[1] switch
            {
                "desc" => device with { UntrustedDescription = value },
                "size" => device with { UntrustedSize = value },
                "mode" => device with { UntrustedMode = value },
                "parent" => device with { UntrustedParent = value },
                _ => device,
            };
        }

        return [.. devices.Values];
    }

    /// <param name="entries">All that the backend tells.</param>
    /// <param name="backend">Its name.</param>
    /// <param name="idOf">The identity of a device of another class it has; null if it is not known.</param>
    public static IReadOnlyList<BlockDevice> ToDevices(IReadOnlyList<BlockEntry> entries, string backend, Func<DevicePort, string?> idOf)
    {
        Dictionary<string, BlockEntry> byPort = entries.ToDictionary(e => e.PortId, StringComparer.Ordinal);
        return [.. entries.Select(e => ToDevice(e, backend, IdOf(e, byPort, backend, idOf, depth: 0)))];
    }

    private static BlockDevice ToDevice(BlockEntry entry, string backend, string id)
    {
        (string? serial, string? name) = ParseDescription(entry.UntrustedDescription);
        (DevicePort? parent, _) = ParseParent(entry.UntrustedParent, backend);
        return new BlockDevice(
            new DeviceInfo
            {
                Device = new VirtualDevice(new DevicePort("block", backend, entry.PortId), id),
                Manufacturer = parent is null ? $"hosted by {backend}" : $"sub-device of {parent}",
                Name = name,
                Serial = serial,
                Interfaces = [DeviceInterface.Block],
                Parent = parent,
            },
            IsReadOnly: entry.UntrustedMode == "r",
            long.TryParse(entry.UntrustedSize, NumberStyles.None, CultureInfo.InvariantCulture, out long size) ? size : 0);
    }

    // IDENTITY OF THE PARENT ':' interface at the parent, or number at the end of the name, or "None"
    private static string IdOf(
        BlockEntry entry, Dictionary<string, BlockEntry> byPort, string backend, Func<DevicePort, string?> idOf, int depth)
    {
        (DevicePort? parent, string? parentInterface) = ParseParent(entry.UntrustedParent, backend);
        string parentId = "";
        if (parent is { DeviceClass: "block" } && depth < DeepestParent && byPort.TryGetValue(parent.PortId, out BlockEntry? disk))
        {
            parentId = IdOf(disk, byPort, backend, idOf, depth + 1);
        }
        else if (parent is { DeviceClass: not "block" })
        {
            parentId = idOf(parent) ?? "";
        }

        int digits = entry.PortId.Length;
        while (digits > 0 && char.IsAsciiDigit(entry.PortId[digits - 1]))
        {
            digits--;
        }

        string number = digits < entry.PortId.Length ? entry.PortId[digits..] : "None";
        return $"{parentId}:{parentInterface ?? number}";
    }

    private static (DevicePort? Parent, string? Interface) ParseParent(string? untrustedParent, string backend)
    {
        string[] parts = (untrustedParent ?? "").Split(':');
        if (parts.Length > 2 || parts[0].Length is 0 or > 32 || parts.Any(p => p.Length > 32 || p.AsSpan().ContainsAnyExcept(ParentCharacters)))
        {
            return (null, null);
        }

        return parts.Length == 2
            ? (new DevicePort("usb", backend, parts[0]), parts[1].Length == 0 ? null : parts[1])
            : (new DevicePort("block", backend, parts[0]), null);
    }

    // MODEL SP '(' LABEL ')'
    private static (string? Model, string? Label) ParseDescription(string? untrustedDescription)
    {
        if (untrustedDescription is null)
        {
            return (null, null);
        }

        string text = string.Create(untrustedDescription.Length, untrustedDescription, static (clean, untrusted) =>
        {
            for (int i = 0; i < clean.Length; i++)
            {
                clean[i] = TextCharacters.Contains(untrusted[i]) ? untrusted[i] : '_';
            }
        });
        int blank = text.IndexOf(' ', StringComparison.Ordinal);
        string model = blank < 0 ? text : text[..blank];
        string label = blank < 0 || text.Length < blank + 3 ? "" : text[(blank + 2)..^1];
        return (Spaced(model), Spaced(label));
    }

    private static string? Spaced(string text)
    {
        string spaced = text.Replace('_', ' ').Trim();
        return spaced.Length == 0 ? null : spaced;
    }
}
