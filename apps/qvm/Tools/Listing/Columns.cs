using System.Globalization;

namespace Qvm.Tools.Listing;

/// <summary>The columns of <c>qvm-ls</c> and the value of each for a qube.</summary>
internal static class Columns
{
    private const long MiB = 1024 * 1024;

    public static IReadOnlyDictionary<string, string[]> Formats { get; } = new SortedDictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["disk"] = ["name", "state", "disk", "priv-curr", "priv-max", "priv-used", "root-curr", "root-max", "root-used"],
        ["full"] = ["name", "state", "class", "label", "qid", "xid", "uuid"],
        ["kernel"] = ["name", "state", "class", "template", "kernel", "kernelopts"],
        ["network"] = ["name", "state", "netvm", "ip", "ipback", "gateway"],
        ["prefs"] = ["name", "label", "template", "netvm", "vcpus", "initialmem", "maxmem", "virt_mode"],
        ["simple"] = ["name", "state", "class", "label", "template", "netvm"],
    };

    /// <summary>Columns that are not simply a property of that name, with what they show.</summary>
    public static IReadOnlyDictionary<string, string> Special { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["CLASS"] = "class of the qube",
        ["DISK"] = "total disk usage in MiB",
        ["FLAGS"] = "type, state and settings of the qube, a character each",
        ["GATEWAY"] = "network gateway, as the qube's netvm gives it",
        ["MEMORY"] = "memory in use, in MiB",
        ["NAME"] = "name of the qube",
        ["PRIV-CURR"] = "disk used by the private volume, in MiB",
        ["PRIV-MAX"] = "size of the private volume, in MiB",
        ["PRIV-POOL"] = "pool of the private volume",
        ["PRIV-USED"] = "used part of the private volume",
        ["ROOT-CURR"] = "disk used by the root volume, in MiB",
        ["ROOT-MAX"] = "size of the root volume, in MiB",
        ["ROOT-POOL"] = "pool of the root volume",
        ["ROOT-USED"] = "used part of the root volume",
        ["STATE"] = "power state",
    };

    private static readonly string[] Numeric =
    [
        "MEMORY", "DISK", "PRIV-CURR", "PRIV-MAX", "PRIV-USED", "ROOT-CURR", "ROOT-MAX", "ROOT-USED", "XID", "MAXMEM",
        "QREXEC-TIMEOUT", "SHUTDOWN-TIMEOUT", "VCPUS",
    ];

    public static string Header(string column) => column.ToUpperInvariant().Replace('_', '-');

    public static bool IsNumeric(string column) => Numeric.Contains(Header(column));

    public static bool NeedsVolumes(IEnumerable<string> columns) =>
        columns.Select(c => c.ToUpperInvariant()).Any(c => c == "DISK" || c.StartsWith("PRIV-", StringComparison.Ordinal)
            || c.StartsWith("ROOT-", StringComparison.Ordinal));

    public static bool NeedsMemory(IEnumerable<string> columns) => columns.Any(c => c.Equals("memory", StringComparison.OrdinalIgnoreCase));

    /// <summary>What makes the cells of <paramref name="column"/>; <paramref name="all"/> are the rows by name.</summary>
    public static Func<QubeRow, string> CellOf(string column, IReadOnlyDictionary<string, QubeRow> all)
    {
        string property = column.ToLowerInvariant();
        return column.ToUpperInvariant() switch
        {
            "NAME" => row => row.Info.Name,
            "STATE" => row => row.Info.State,
            "CLASS" => row => row.Info.Class,
            "GATEWAY" => row => row.Netvm is { Length: > 0 } netvm && all.TryGetValue(netvm, out QubeRow? gateway) ? gateway.Text("gateway") : "-",
            "MEMORY" => row => row.Memory?.ToString(CultureInfo.InvariantCulture) ?? "-",
            "FLAGS" => Flags,
            "DISK" => row => Number(row.Volumes.Values.Sum(v => v.Usage) / MiB),
            "PRIV-CURR" => row => Figure(row, "private", v => Number(v.Usage / MiB)),
            "PRIV-MAX" => row => Figure(row, "private", v => Number(v.Size / MiB)),
            "PRIV-POOL" => row => row.Volumes.GetValueOrDefault("private")?.Pool ?? "-",
            "PRIV-USED" => row => Figure(row, "private", Percent),
            "ROOT-CURR" => row => Figure(row, "root", v => Number(v.Usage / MiB)),
            "ROOT-MAX" => row => Figure(row, "root", v => Number(v.Size / MiB)),
            "ROOT-POOL" => row => row.Volumes.GetValueOrDefault("root")?.Pool ?? "-",
            "ROOT-USED" => row => Figure(row, "root", Percent),
            _ => row => row.Text(property),
        };
    }

    private static string Figure(QubeRow row, string volume, Func<VolumeFigures, string> text) =>
        row.Volumes.TryGetValue(volume, out VolumeFigures? figures) ? text(figures) : "0";

    private static string Percent(VolumeFigures figures) =>
        figures.Size == 0 ? "0" : Number(figures.Usage * 100 / figures.Size) + "%";

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Flags(QubeRow row)
    {
        char type = row.Info.Class switch
        {
            "AdminVM" => '0',
            "TemplateVM" => 't',
            "AppVM" => 'a',
            "StandaloneVM" => 's',
            "DispVM" => 'd',
            _ => '-',
        };
        if (row.Text("virt_mode") == "hvm")
        {
            type = char.ToUpperInvariant(type);
        }

        char state = row.Info.State is "NA" ? '?' : char.ToLowerInvariant(row.Info.State[0]);
        return string.Concat([type, state, Flag("updateable", 'U'), Flag("provides_network", 'N'), Flag("installed_by_rpm", 'R'),
            Flag("internal", 'i'), Flag("debug", 'D'), Flag("autostart", 'A')]);

        char Flag(string property, char letter) => row.Property(property)?.AsBool == true ? letter : '-';
    }
}
