using System.Xml;
using Qubes.Model.Classes;
using Qubes.Model.Foreign;

namespace Qubes.Store.Format;

/// <summary>
/// Reads one qube. Everything else that stands in it is kept, a <c>volume-config</c> of a class without volumes as well.
/// <code>
/// &lt;domain id="domain-QID" class="CLASS"&gt;
///   &lt;properties&gt;           &lt;property name="NAME"&gt;VALUE&lt;/property&gt;*
///   &lt;features&gt;             &lt;feature name="NAME"&gt;VALUE&lt;/feature&gt;*
///   &lt;tags&gt;                 &lt;tag name="NAME"/&gt;*
///   &lt;devices class="CLASS"&gt; &lt;device backend-domain id mode identity&gt; &lt;option name="NAME"&gt;VALUE&lt;/option&gt;* &lt;/device&gt;*
///   &lt;volume-config&gt;        &lt;volume ATTRIBUTES/&gt;*
/// </code>
/// </summary>
internal static class StoredQubeReader
{
    private const int Level = 2;

    private static readonly string[] DomainAttributes = ["id", "class"];
    private static readonly string[] DevicesAttributes = ["class"];
    private static readonly string[] DeviceAttributes = ["backend-domain", "id", "mode", "identity", "required"];

    /// <param name="reader">At the element's start.</param>
    /// <param name="before">The comments in front of it.</param>
    /// <param name="position">Its place among the qubes of the file.</param>
    /// <param name="source">The element itself, if it is not in the file.</param>
    public static StoredQube Read(XmlReader reader, string before, int position, string? source = null)
    {
        int line = source is null && reader is IXmlLineInfo info ? info.LineNumber : 0;
        StoredQube qube = new() { Position = position, Source = source, Line = line, Class = reader.GetAttribute("class") ?? "" };
        ElementReader domain = new(reader, Level, before, DomainAttributes);
        while (domain.MoveToChild())
        {
            switch (domain.ChildName)
            {
                case "properties":
                    StoreReader.ReadProperties(reader, Level + 1, domain.TakeComments(), qube.Properties, qube.Foreign);
                    break;
                case "features":
                    ReadFeatures(reader, domain.TakeComments(), qube);
                    break;
                case "tags":
                    ReadTags(reader, domain.TakeComments(), qube);
                    break;
                case "devices":
                    ReadDevices(reader, domain.TakeComments(), qube);
                    break;
                case "volume-config" when !QubeClasses.TryFind(qube.Class, out QubeClass? known) || known.Volumes.Count > 0:
                    ReadVolumes(reader, domain.TakeComments(), qube);
                    break;
                default:
                    domain.KeepChild();
                    break;
            }
        }

        qube.Foreign.Add("domain", "", domain.Foreign);
        return qube;
    }

    private static void ReadFeatures(XmlReader reader, string before, StoredQube qube)
    {
        ElementReader features = new(reader, Level + 1, before, []);
        while (features.MoveToChild())
        {
            if (features.ChildName == "feature")
            {
                qube.Features.Add(ReadNamed(reader, Level + 2, features.TakeComments(), "feature", qube.Foreign));
            }
            else
            {
                features.KeepChild();
            }
        }

        qube.Foreign.Add("features", "", features.Foreign);
    }

    private static void ReadTags(XmlReader reader, string before, StoredQube qube)
    {
        ElementReader tags = new(reader, Level + 1, before, []);
        while (tags.MoveToChild())
        {
            if (tags.ChildName == "tag")
            {
                string name = reader.GetAttribute("name") ?? "";
                qube.Tags.Add(name);
                ReadRest(reader, tags.TakeComments(), StoreReader.NameAttribute, "tag", name, qube.Foreign);
            }
            else
            {
                tags.KeepChild();
            }
        }

        qube.Foreign.Add("tags", "", tags.Foreign);
    }

    private static void ReadDevices(XmlReader reader, string before, StoredQube qube)
    {
        string deviceClass = reader.GetAttribute("class") ?? "";
        ElementReader devices = new(reader, Level + 1, before, DevicesAttributes);
        while (devices.MoveToChild())
        {
            if (devices.ChildName == "device")
            {
                qube.Devices.Add(ReadDevice(reader, devices.TakeComments(), deviceClass));
            }
            else
            {
                devices.KeepChild();
            }
        }

        qube.Foreign.Add("devices", deviceClass, devices.Foreign);
    }

    private static StoredDevice ReadDevice(XmlReader reader, string before, string deviceClass)
    {
        StoredDevice device = new()
        {
            DeviceClass = deviceClass,
            Attributes = StoreReader.Attributes(reader).FindAll(a => DeviceAttributes.Contains(a.Key)),
        };
        ElementReader element = new(reader, Level + 2, before, DeviceAttributes);
        while (element.MoveToChild())
        {
            if (element.ChildName == "option")
            {
                device.Options.Add(ReadNamed(reader, Level + 3, element.TakeComments(), "option", device.Foreign));
            }
            else
            {
                element.KeepChild();
            }
        }

        device.Foreign.Add("device", "", element.Foreign);
        return device;
    }

    private static void ReadVolumes(XmlReader reader, string before, StoredQube qube)
    {
        ElementReader volumes = new(reader, Level + 1, before, []);
        while (volumes.MoveToChild())
        {
            if (volumes.ChildName == "volume")
            {
                List<KeyValuePair<string, string>> attributes = StoreReader.Attributes(reader);
                qube.Volumes.Add(attributes);
                string name = attributes.Find(a => a.Key == "name").Value ?? "";
                ReadRest(reader, volumes.TakeComments(), known: null, "volume", name, qube.Foreign);
            }
            else
            {
                volumes.KeepChild();
            }
        }

        qube.Foreign.Add("volume-config", "", volumes.Foreign);
    }

    private static KeyValuePair<string, string> ReadNamed(XmlReader reader, int level, string before, string element, ForeignParts foreign)
    {
        string name = reader.GetAttribute("name") ?? "";
        ElementReader named = new(reader, level, before, StoreReader.NameAttribute);
        string text = named.ReadText();
        foreign.Add(element, name, named.Foreign);
        return new(name, text);
    }

    private static void ReadRest(XmlReader reader, string before, string[]? known, string element, string name, ForeignParts foreign)
    {
        ElementReader rest = new(reader, Level + 2, before, known);
        rest.KeepRest();
        foreign.Add(element, name, rest.Foreign);
    }
}
