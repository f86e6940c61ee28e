using System.Globalization;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Properties;
using Qubes.Model.Volumes;

namespace Qubes.Store.Format;

/// <summary>Writes one <c>domain</c> element; the layout stands at <see cref="StoredQubeReader"/>.</summary>
internal static class QubeWriter
{
    private const int Level = 2;

    public static void Write(Qube qube, XmlOutput output)
    {
        output.Indent(Level).Raw("<domain"u8)
            .Attribute("id"u8, "domain-" + qube.Qid.ToString(CultureInfo.InvariantCulture))
            .Attribute("class"u8, qube.Klass).Raw(">\n"u8);
        WriteProperties(qube, output, Level + 1);
        WriteFeatures(qube, output);
        WriteTags(qube, output);
        if (qube is LocalQube local)
        {
            WriteDevices(local, output);
        }

        if (qube is QubesVM vm)
        {
            WriteVolumes(vm, output);
        }

        if (qube.PreservedXml is { Length: > 0 } preserved)
        {
            output.Indent(Level + 1).Raw(preserved).Raw("\n"u8);
        }

        output.Indent(Level).Raw("</domain>\n"u8);
    }

    /// <summary>The explicit properties of a holder, in list order.</summary>
    public static void WriteProperties(
        PropertyHolder holder, XmlOutput output, int level, IReadOnlyList<KeyValuePair<string, string>>? preserved = null)
    {
        bool any = false;
        foreach (PropertyDefinition property in holder.Properties.InListOrder)
        {
            if (property.IsExplicit(holder))
            {
                Open();
                output.NamedLine(level + 1, "property"u8, property.Name, property.StoreText(holder));
            }
        }

        foreach ((string name, string text) in preserved ?? [])
        {
            // Somebody has set it anew since it could not be read.
            if (holder.Properties.TryFind(name, out PropertyDefinition? known) && known.IsExplicit(holder))
            {
                continue;
            }

            Open();
            output.NamedLine(level + 1, "property"u8, name, text);
        }

        output.Indent(level).Raw(any ? "</properties>\n"u8 : "<properties/>\n"u8);

        void Open()
        {
            if (!any)
            {
                output.Indent(level).Raw("<properties>\n"u8);
                any = true;
            }
        }
    }

    private static void WriteFeatures(Qube qube, XmlOutput output)
    {
        if (qube.Features.Count == 0)
        {
            output.Indent(Level + 1).Raw("<features/>\n"u8);
            return;
        }

        output.Indent(Level + 1).Raw("<features>\n"u8);
        foreach ((string name, string value) in qube.Features.All)
        {
            output.NamedLine(Level + 2, "feature"u8, name, value);
        }

        output.Indent(Level + 1).Raw("</features>\n"u8);
    }

    private static void WriteTags(Qube qube, XmlOutput output)
    {
        if (qube.Tags.Count == 0)
        {
            output.Indent(Level + 1).Raw("<tags/>\n"u8);
            return;
        }

        output.Indent(Level + 1).Raw("<tags>\n"u8);
        foreach (string tag in qube.Tags.All)
        {
            output.Indent(Level + 2).Raw("<tag"u8).Attribute("name"u8, tag).Raw("/>\n"u8);
        }

        output.Indent(Level + 1).Raw("</tags>\n"u8);
    }

    private static void WriteDevices(LocalQube qube, XmlOutput output)
    {
        foreach (IGrouping<string, DeviceAssignment> group in qube.Devices.All.GroupBy(a => a.DeviceClass, StringComparer.Ordinal))
        {
            output.Indent(Level + 1).Raw("<devices"u8).Attribute("class"u8, group.Key).Raw(">\n"u8);
            foreach (DeviceAssignment device in group)
            {
                WriteDevice(device, output);
            }

            output.Indent(Level + 1).Raw("</devices>\n"u8);
        }
    }

    private static void WriteDevice(DeviceAssignment device, XmlOutput output)
    {
        output.Indent(Level + 2).Raw("<device"u8)
            .Attribute("backend-domain"u8, device.Backend)
            .Attribute("id"u8, device.Port)
            .Attribute("mode"u8, device.Mode)
            .Attribute("identity"u8, device.DeviceId);
        if (device.Options.Count == 0)
        {
            output.Raw("/>\n"u8);
            return;
        }

        output.Raw(">\n"u8);
        foreach ((string name, string value) in device.Options)
        {
            output.NamedLine(Level + 3, "option"u8, name, value);
        }

        output.Indent(Level + 2).Raw("</device>\n"u8);
    }

    private static void WriteVolumes(QubesVM qube, XmlOutput output)
    {
        if (qube.Volumes.All.Count == 0)
        {
            output.Indent(Level + 1).Raw("<volume-config/>\n"u8);
            return;
        }

        output.Indent(Level + 1).Raw("<volume-config>\n"u8);
        foreach (VolumeConfig volume in qube.Volumes.All)
        {
            output.Indent(Level + 2).Raw("<volume"u8);
            foreach ((string name, string value) in VolumeAttributes.Of(volume))
            {
                output.Attribute(name, value);
            }

            output.Raw("/>\n"u8);
        }

        output.Indent(Level + 1).Raw("</volume-config>\n"u8);
    }
}
