using System.Globalization;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Foreign;
using Qubes.Model.Properties;
using Qubes.Model.Volumes;

namespace Qubes.Store.Format;

/// <summary>Writes one <c>domain</c> element; the layout stands at <see cref="StoredQubeReader"/>.</summary>
internal static class QubeWriter
{
    private const int Level = 2;

    private static readonly ForeignParts Nothing = new();

    public static void Write(Qube qube, XmlOutput output)
    {
        ForeignParts foreign = qube.Foreign ?? Nothing;
        ForeignXml? atDomain = foreign["domain"];
        output.Start(Level, "domain"u8, atDomain)
            .Attribute("id"u8, "domain-" + qube.Qid.ToString(CultureInfo.InvariantCulture))
            .Attribute("class"u8, qube.Klass).Raw(atDomain?.Attributes).Raw(">\n"u8);
        WriteProperties(qube, output, Level + 1, foreign);
        WriteFeatures(qube, output, foreign);
        WriteTags(qube, output, foreign);
        if (qube is LocalQube local)
        {
            WriteDevices(local, output, foreign);
        }

        if (qube is QubesVM vm)
        {
            WriteVolumes(vm, output, foreign);
        }

        output.Raw(foreign[ForeignKeys.UnusableDevices]?.Inside).End(Level, "domain"u8, atDomain);
    }

    /// <summary>The explicit properties of a holder, in list order.</summary>
    public static void WriteProperties(
        PropertyHolder holder, XmlOutput output, int level, ForeignParts foreign, IReadOnlyList<KeyValuePair<string, string>>? preserved = null)
    {
        // Somebody may have set anew what could not be read.
        KeyValuePair<string, string>[] properties =
        [
            .. holder.Properties.InListOrder.Where(p => p.IsExplicit(holder)).Select(p => new KeyValuePair<string, string>(p.Name, p.StoreText(holder))),
            .. (preserved ?? []).Where(p => !(holder.Properties.TryFind(p.Key, out PropertyDefinition? known) && known.IsExplicit(holder))),
        ];
        ForeignXml? atAll = foreign["properties"];
        if (output.Start(level, "properties"u8, atAll).EndOfStart(atAll, properties.Length > 0))
        {
            foreach ((string name, string text) in properties)
            {
                output.NamedLine(level + 1, "property"u8, name, text, foreign["property", name]);
            }

            output.End(level, "properties"u8, atAll);
        }
    }

    private static void WriteFeatures(Qube qube, XmlOutput output, ForeignParts foreign)
    {
        ForeignXml? atAll = foreign["features"];
        if (output.Start(Level + 1, "features"u8, atAll).EndOfStart(atAll, qube.Features.Count > 0))
        {
            foreach ((string name, string value) in qube.Features.All)
            {
                output.NamedLine(Level + 2, "feature"u8, name, value, foreign["feature", name]);
            }

            output.End(Level + 1, "features"u8, atAll);
        }
    }

    private static void WriteTags(Qube qube, XmlOutput output, ForeignParts foreign)
    {
        ForeignXml? atAll = foreign["tags"];
        if (output.Start(Level + 1, "tags"u8, atAll).EndOfStart(atAll, qube.Tags.Count > 0))
        {
            foreach (string tag in qube.Tags.All)
            {
                ForeignXml? atTag = foreign["tag", tag];
                if (output.Start(Level + 2, "tag"u8, atTag).Attribute("name"u8, tag).EndOfStart(atTag, hasContent: false))
                {
                    output.End(Level + 2, "tag"u8, atTag);
                }
            }

            output.End(Level + 1, "tags"u8, atAll);
        }
    }

    private static void WriteDevices(LocalQube qube, XmlOutput output, ForeignParts foreign)
    {
        foreach (IGrouping<string, DeviceAssignment> group in qube.Devices.All.GroupBy(a => a.DeviceClass, StringComparer.Ordinal))
        {
            ForeignXml? atClass = foreign["devices", group.Key];
            output.Start(Level + 1, "devices"u8, atClass).Attribute("class"u8, group.Key).EndOfStart(atClass, hasContent: true);
            foreach (DeviceAssignment device in group)
            {
                WriteDevice(device, output, foreign);
            }

            output.End(Level + 1, "devices"u8, atClass);
        }

        // Classes of which there is no assignment that could be used.
        foreach ((ForeignPlace place, ForeignXml atClass) in foreign.All)
        {
            if (place.Element == "devices" && !qube.Devices.HasAny(place.Item)
                && output.Start(Level + 1, "devices"u8, atClass).Attribute("class"u8, place.Item).EndOfStart(atClass, hasContent: false))
            {
                output.End(Level + 1, "devices"u8, atClass);
            }
        }
    }

    private static void WriteDevice(DeviceAssignment device, XmlOutput output, ForeignParts foreign)
    {
        string key = ForeignKeys.Of(device);
        ForeignXml? atDevice = foreign["device", key];
        output.Start(Level + 2, "device"u8, atDevice)
            .Attribute("backend-domain"u8, device.Backend)
            .Attribute("id"u8, device.Port)
            .Attribute("mode"u8, device.Mode)
            .Attribute("identity"u8, device.DeviceId);
        if (output.EndOfStart(atDevice, device.Options.Count > 0))
        {
            foreach ((string name, string value) in device.Options)
            {
                output.NamedLine(Level + 3, "option"u8, name, value, foreign["option", key + name]);
            }

            output.End(Level + 2, "device"u8, atDevice);
        }
    }

    private static void WriteVolumes(QubesVM qube, XmlOutput output, ForeignParts foreign)
    {
        ForeignXml? atAll = foreign["volume-config"];
        if (output.Start(Level + 1, "volume-config"u8, atAll).EndOfStart(atAll, qube.Volumes.All.Count > 0))
        {
            foreach (VolumeConfig volume in qube.Volumes.All)
            {
                ForeignXml? atVolume = foreign["volume", volume.Name];
                output.Start(Level + 2, "volume"u8, atVolume);
                foreach ((string name, string value) in VolumeAttributes.Of(volume))
                {
                    output.Attribute(name, value);
                }

                if (output.EndOfStart(atVolume, hasContent: false))
                {
                    output.End(Level + 2, "volume"u8, atVolume);
                }
            }

            output.End(Level + 1, "volume-config"u8, atAll);
        }
    }
}
