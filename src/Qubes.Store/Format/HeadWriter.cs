using System.Globalization;
using Qubes.Model;
using Qubes.Model.Foreign;
using Qubes.Model.Labels;
using Qubes.Model.Volumes;

namespace Qubes.Store.Format;

/// <summary>Writes everything before the qubes: labels, pools and global properties.</summary>
internal static class HeadWriter
{
    // The driver's name stands behind the options that say where the pool lies.
    private static readonly string[] LocationOptions = ["dir_path", "volume_group", "thin_pool", "container"];

    public static void Write(QubesApp app, PreservedEntries preserved, XmlOutput output)
    {
        ForeignParts foreign = preserved.Foreign;
        output.Start(0, "qubes"u8, foreign["qubes"]).Raw(foreign["qubes"]?.Attributes).Raw(">\n"u8);
        WriteLabels(app, preserved, output);
        WritePools(app, preserved, output);
        QubeWriter.WriteProperties(app, output, level: 1, foreign, preserved.Properties);
        output.Start(1, "domains"u8, foreign["domains"]).Raw(foreign["domains"]?.Attributes).Raw(">\n"u8);
    }

    private static void WriteLabels(QubesApp app, PreservedEntries preserved, XmlOutput output)
    {
        ForeignXml? atAll = preserved.Foreign["labels"];
        output.Start(1, "labels"u8, atAll).EndOfStart(atAll, hasContent: true);
        foreach (Label label in app.Labels.Settled)
        {
            string id = "label-" + label.Index.ToString(CultureInfo.InvariantCulture);
            WriteLabel(id, label.Color, label.Name, preserved.Foreign["label", label.Name], output);
        }

        foreach (StoredLabel label in preserved.Labels)
        {
            WriteLabel(label.Id, label.Color, label.Name, label.Foreign, output);
        }

        output.End(1, "labels"u8, atAll);
    }

    private static void WriteLabel(string id, string color, string name, ForeignXml? foreign, XmlOutput output) =>
        output.Start(2, "label"u8, foreign).Attribute("id"u8, id).Attribute("color"u8, color).Raw(foreign?.Attributes)
            .Raw(">"u8).Text(name).Raw(foreign?.Inside).Raw("</label>\n"u8);

    private static void WritePools(QubesApp app, PreservedEntries preserved, XmlOutput output)
    {
        ForeignXml? atAll = preserved.Foreign["pools"];
        output.Start(1, "pools"u8, atAll).EndOfStart(atAll, hasContent: true);
        foreach (PoolConfig pool in app.Pools.All)
        {
            KeyValuePair<string, string>[] attributes =
            [
                new("name", pool.Name),
                .. pool.Options.Where(o => LocationOptions.Contains(o.Key)),
                new("driver", pool.Driver),
                .. pool.Options.Where(o => !LocationOptions.Contains(o.Key)),
            ];
            WritePool(attributes, preserved.Foreign["pool", pool.Name], output);
        }

        foreach (StoredPool pool in preserved.Pools)
        {
            WritePool(pool.Attributes, pool.Foreign, output);
        }

        output.End(1, "pools"u8, atAll);
    }

    private static void WritePool(IReadOnlyList<KeyValuePair<string, string>> attributes, ForeignXml? foreign, XmlOutput output)
    {
        output.Start(2, "pool"u8, foreign);
        foreach ((string name, string value) in attributes)
        {
            output.Attribute(name, value);
        }

        if (output.EndOfStart(foreign, hasContent: false))
        {
            output.End(2, "pool"u8, foreign);
        }
    }
}
