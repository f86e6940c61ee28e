using System.Globalization;

namespace Qubes.Extensions;

/// <summary>Names of vendors and products by number, from the data bases of the distribution (<c>pci.ids</c>, <c>usb.ids</c>).</summary>
internal sealed class HardwareNames
{
    private static readonly string[] Directories = ["/usr/share/hwdata", "/usr/share/misc"];

    private readonly Dictionary<int, string> _vendors = [];
    private readonly Dictionary<(int Vendor, int Product), string> _products = [];

    public static HardwareNames Empty { get; } = new();

    public string? Vendor(int vendor) => _vendors.GetValueOrDefault(vendor);

    public string? Product(int vendor, int product) => _products.GetValueOrDefault((vendor, product));

    /// <summary>Reads a data base of the host; without one nothing has a name.</summary>
    public static HardwareNames Load(string name)
    {
        string? file = Array.Find([.. Directories.Select(directory => Path.Combine(directory, name))], File.Exists);
        if (file is null)
        {
            return Empty;
        }

        using StreamReader reader = new(file);
        return Read(reader);
    }

    // VVVV SP SP NAME ; TAB PPPP SP SP NAME of that vendor ; two TAB: subsystems ; "C …": device classes, after all vendors ; '#': a comment
    public static HardwareNames Read(TextReader reader)
    {
        HardwareNames database = new();
        int vendor = -1;
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith("C ", StringComparison.Ordinal))
            {
                break;
            }

            bool isProduct = line.StartsWith('\t');
            if (!TryReadName(isProduct ? line.AsSpan(1) : line, out int id, out string? name))
            {
                continue;
            }

            if (!isProduct)
            {
                vendor = id;
                database._vendors[id] = name;
            }
            else if (vendor >= 0)
            {
                database._products[(vendor, id)] = name;
            }
        }

        return database;
    }

    private static bool TryReadName(ReadOnlySpan<char> line, out int id, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? name)
    {
        id = 0;
        name = null;
        if (line.Length < 7 || line[4] != ' ' || !int.TryParse(line[..4], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out id))
        {
            return false;
        }

        name = line[6..].Trim().ToString();
        return true;
    }
}
