using System.Globalization;
using System.Text;
using Qubes.Client;
using Qubes.Client.State;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;
using Qvm.Output;
using Qvm.Tools.Listing;

namespace Qvm.Tools;

/// <summary><c>qvm-ls</c></summary>
internal sealed class ListTool : ITool
{
    // Enough to keep the daemon busy while we parse; more only makes them wait for each other.
    private const int ParallelCalls = 4;

    // From here on one call for everything is quicker than one for each.
    private const int ManyQubes = 32;

    private static readonly Dictionary<string, VolumeFigures> NoVolumes = [];
    private static readonly string[] PropertyFilters = ["label", "template-source", "netvm-is", "prefs"];
    private static readonly string[] FormatFlags = ["disk", "network", "kernel"];

    public string Name => "qvm-ls";

    public string Summary => "list domains and information about them";

    public void Define(ArgumentParser parser)
    {
        QubeSelection.DefineMany(parser);
        parser.Option("--format -o", "format", "preset of columns", placeholder: "FORMAT", choices: [.. Columns.Formats.Keys]);
        parser.Option("--fields -O", "fields", "the columns, comma separated", placeholder: "FIELD,...");
        parser.Flag("--disk -d", "disk", "same as --format=disk");
        parser.Flag("--network -n", "network", "same as --format=network");
        parser.Flag("--kernel -k", "kernel", "same as --format=kernel");
        parser.Flag("--tree -t", "tree", "sort and indent by the network tree");
        parser.Flag("--raw-data", "raw-data", "cells joined by |, without header and padding");
        parser.Flag("--raw-list", "raw-list", "names only, one a line");
        parser.Flag("--help-formats", "help-formats", "list all presets of columns and exit");
        parser.Flag("--help-columns", "help-columns", "list all columns and exit");
        QubeFilter.Define(parser);
        parser.Option("--sort", "sort", "sort by this column", placeholder: "COLUMN");
        parser.Flag("--reverse", "reverse", "reverse the order");
        parser.Flag("--ignore-case", "ignore-case", "ignore case when sorting");
        parser.Flag("--spinner", "spinner", "accepted for compatibility: listing is too quick to show progress");
        parser.Flag("--no-spinner", "no-spinner", "accepted for compatibility");
        parser.ExclusiveKeys.Add(["format", "fields", "disk", "network", "kernel"]);
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        if (arguments.Has("help-formats"))
        {
            await context.Out.WriteAsync(Table.Format(Columns.Formats.Select(f => (string[])[f.Key, string.Join(',', f.Value.Select(Columns.Header))])));
            return 0;
        }

        if (arguments.Has("help-columns"))
        {
            await context.Out.WriteAsync(Table.Format(Columns.Special.Select(c => (string[])[c.Key, c.Value])));
            await context.Out.WriteLineAsync("Any property of a qube may be a column as well.");
            return 0;
        }

        string[] columns = ChosenColumns(arguments);
        IReadOnlyList<QubeInfo> qubes = await QubeSelection.ManyAsync(context.App, arguments, required: false);
        IReadOnlyList<QubeRow> rows = await QubeFilter.ApplyAsync(context.App, await ReadAsync(context.App, qubes, columns, NeedsProperties(columns, arguments)), arguments);
        Dictionary<string, QubeRow> byName = rows.ToDictionary(r => r.Info.Name, StringComparer.Ordinal);
        Func<QubeRow, string>[] cellsOf = [.. columns.Select(c => Columns.CellOf(c, byName))];

        // By name, whatever the order of the list: dom0 is not special to this tool.
        List<(QubeRow Row, int Depth)> order = [.. rows.OrderBy(r => r.Info.Name, StringComparer.Ordinal).Select(r => (r, 0))];
        bool raw = arguments.Has("raw-data") || arguments.Has("raw-list");
        if (arguments.Has("tree"))
        {
            order = NetworkTree.Order(order.ConvertAll(o => o.Row));
        }

        List<string[]> cells = order.ConvertAll(o => (string[])[.. columns.Select((c, i) => Indent(c, cellsOf[i](o.Row), o.Depth))]);
        if (raw)
        {
            await context.Out.WriteAsync(string.Concat(cells.Select(c => string.Join('|', c) + "\n")));
            return 0;
        }

        if (!arguments.Has("tree"))
        {
            Sort(cells, columns, arguments);
        }

        cells.Insert(0, [.. columns.Select(Columns.Header)]);
        await context.Out.WriteAsync(Table.Format(cells));
        return 0;
    }

    private static string[] ChosenColumns(ParsedArguments arguments)
    {
        if (arguments.Has("raw-list"))
        {
            return ["name"];
        }

        if (arguments.Last("fields") is { } fields)
        {
            return [.. fields.Split(',').Select(f => f.Trim().ToLowerInvariant())];
        }

        string format = arguments.Last("format") ?? FormatFlags.FirstOrDefault(arguments.Has) ?? "simple";
        return Columns.Formats[format];
    }

    private static bool NeedsProperties(string[] columns, ParsedArguments arguments) =>
        columns.Any(c => c is not ("name" or "state" or "class")) || arguments.Has("tree")
        || PropertyFilters.Any(arguments.Has);

    private static async Task<QubeRow[]> ReadAsync(
        QubesApp app, IReadOnlyList<QubeInfo> qubes, string[] columns, bool needsProperties)
    {
        bool volumes = Columns.NeedsVolumes(columns);
        bool memory = Columns.NeedsMemory(columns);
        SystemState? state = needsProperties && qubes.Count >= ManyQubes ? await TryReadStateAsync(app) : null;
        QubeRow?[] rows = new QubeRow?[qubes.Count];
        List<int> asked = [];
        for (int i = 0; i < rows.Length; i++)
        {
            QubeState? known = state?.Qubes.GetValueOrDefault(qubes[i].Name);
            rows[i] = new QubeRow(qubes[i], known is null ? NoProperty : name => PropertyOf(known, name)) { Volumes = NoVolumes };
            if (volumes || memory || (needsProperties && known is null))
            {
                asked.Add(i);
            }
        }

        await Parallel.ForEachAsync(asked, new ParallelOptions { MaxDegreeOfParallelism = ParallelCalls }, async (i, cancellation) =>
        {
            Qube qube = app[qubes[i].Name];
            try
            {
                QubeRow row = rows[i]!;
                if (needsProperties && state?.Qubes.ContainsKey(qube.Name) != true)
                {
                    row = row with { Property = (await qube.GetPropertiesAsync(cancellation)).GetValueOrDefault };
                }

                rows[i] = row with
                {
                    Volumes = volumes ? await VolumesAsync(qube, cancellation) : NoVolumes,
                    Memory = memory ? await MemoryAsync(qube, cancellation) : null,
                };
            }
            catch (QubesException e) when (e.Is(QubesErrorNames.VMNotFound))
            {
                // Removed since the list was made: it is not there to be shown.
                rows[i] = null;
            }
        });
        return [.. rows.OfType<QubeRow>()];
    }

    private static PropertyValue? NoProperty(string name) => null;

    private static PropertyValue? PropertyOf(QubeState qube, string name) =>
        qube.Properties.TryGetValue(name, out StateProperty? property)
            ? new PropertyValue(property.IsDefault, property.Type, property.Value ?? "")
            : null;

    /// <summary>Null if the daemon does not know the call. Inside a qube other rights are needed for it than for a list.</summary>
    private static async Task<SystemState?> TryReadStateAsync(QubesApp app)
    {
        if (!app.IsLocal)
        {
            return null;
        }

        try
        {
            return await app.GetStateAsync();
        }
        catch (QubesException)
        {
            return null;
        }
    }

    private static async Task<Dictionary<string, VolumeFigures>> VolumesAsync(Qube qube, CancellationToken cancellation)
    {
        Dictionary<string, VolumeFigures> figures = new(StringComparer.Ordinal);
        foreach (string volume in await qube.ListVolumesAsync(cancellation))
        {
            Dictionary<string, string> info = (await qube.GetVolumeInfoAsync(volume, cancellation)).ToDictionary(StringComparer.Ordinal);
            figures[volume] = new VolumeFigures(info.GetValueOrDefault("pool", ""), Number(info, "size"), Number(info, "usage"));
        }

        return figures;

        static long Number(Dictionary<string, string> info, string key) =>
            long.TryParse(info.GetValueOrDefault(key), NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : 0;
    }

    private static async Task<long?> MemoryAsync(Qube qube, CancellationToken cancellation)
    {
        IReadOnlyDictionary<string, string> state = await qube.GetCurrentStateAsync(cancellation);
        bool isRunning = state.GetValueOrDefault("power_state") is not ("Halted" or "NA" or null);
        return isRunning && long.TryParse(state.GetValueOrDefault("mem"), NumberStyles.None, CultureInfo.InvariantCulture, out long kib)
            ? kib / 1024 : null;
    }

    private static string Indent(string column, string cell, int depth) =>
        depth == 0 || column != "name" ? cell : new StringBuilder().Append(' ', 2 * (depth - 1)).Append("└─").Append(cell).ToString();

    private static void Sort(List<string[]> cells, string[] columns, ParsedArguments arguments)
    {
        int by = Array.FindIndex(columns, c => Columns.Header(c) == Columns.Header(arguments.Last("sort") ?? "name"));
        if (by >= 0)
        {
            StringComparison comparison = arguments.Has("ignore-case") ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
            Comparison<string[]> compare = Columns.IsNumeric(columns[by])
                ? (a, b) => Number(a[by]).CompareTo(Number(b[by]))
                : (a, b) => string.Compare(a[by], b[by], comparison);
            List<string[]> sorted = [.. cells.Order(Comparer<string[]>.Create(compare))];
            cells.Clear();
            cells.AddRange(sorted);
        }

        if (arguments.Has("reverse"))
        {
            cells.Reverse();
        }

        static double Number(string cell) =>
            double.TryParse(cell.TrimEnd('%'), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : 0;
    }
}
