using System.Globalization;
using Qubes.Model;
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
        output.Raw("<qubes>\n"u8);
        WriteLabels(app, preserved, output);
        WritePools(app, preserved, output);
        QubeWriter.WriteProperties(app, output, level: 1, preserved.Properties);
        output.Indent(1).Raw("<domains>\n"u8);
    }

    private static void WriteLabels(QubesApp app, PreservedEntries preserved, XmlOutput output)
    {
        output.Indent(1).Raw("<labels>\n"u8);
        foreach (Label label in app.Labels.All)
        {
            output.Indent(2).Raw("<label"u8)
                .Attribute("id"u8, "label-" + label.Index.ToString(CultureInfo.InvariantCulture))
                .Attribute("color"u8, label.Color).Raw(">"u8).Text(label.Name).Raw("</label>\n"u8);
        }

        foreach (StoredLabel label in preserved.Labels)
        {
            output.Indent(2).Raw("<label"u8).Attribute("id"u8, label.Id).Attribute("color"u8, label.Color)
                .Raw(">"u8).Text(label.Name).Raw("</label>\n"u8);
        }

        output.Indent(1).Raw("</labels>\n"u8);
    }

    private static void WritePools(QubesApp app, PreservedEntries preserved, XmlOutput output)
    {
        output.Indent(1).Raw("<pools>\n"u8);
        foreach (PoolConfig pool in app.Pools.All)
        {
            output.Indent(2).Raw("<pool"u8).Attribute("name"u8, pool.Name);
            foreach ((string name, string value) in pool.Options.Where(o => LocationOptions.Contains(o.Key)))
            {
                output.Attribute(name, value);
            }

            output.Attribute("driver"u8, pool.Driver);
            foreach ((string name, string value) in pool.Options.Where(o => !LocationOptions.Contains(o.Key)))
            {
                output.Attribute(name, value);
            }

            output.Raw("/>\n"u8);
        }

        foreach (IReadOnlyList<KeyValuePair<string, string>> attributes in preserved.Pools)
        {
            output.Indent(2).Raw("<pool"u8);
            foreach ((string name, string value) in attributes)
            {
                output.Attribute(name, value);
            }

            output.Raw("/>\n"u8);
        }

        output.Indent(1).Raw("</pools>\n"u8);
    }
}
