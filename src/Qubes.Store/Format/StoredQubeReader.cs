using System.Xml;

namespace Qubes.Store.Format;

/// <summary>
/// Reads one qube.
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
    public static StoredQube Read(XmlReader reader, int position, string? source = null)
    {
        int line = source is null && reader is IXmlLineInfo info ? info.LineNumber : 0;
        StoredQube qube = new() { Position = position, Source = source, Line = line, Class = reader.GetAttribute("class") ?? "" };
        StoreReader.ForEachChild(reader, qube, static (reader, qube) =>
        {
            switch (reader.LocalName)
            {
                case "properties":
                    StoreReader.ForEachChild(reader, qube, static (reader, qube) => qube.Properties.Add(StoreReader.ReadProperty(reader)));
                    break;
                case "features":
                    StoreReader.ForEachChild(reader, qube, static (reader, qube) => qube.Features.Add(ReadNamed(reader)));
                    break;
                case "tags":
                    StoreReader.ForEachChild(reader, qube, static (reader, qube) => qube.Tags.Add(ReadNamed(reader).Key));
                    break;
                case "devices":
                    string deviceClass = reader.GetAttribute("class") ?? "";
                    StoreReader.ForEachChild(reader, (qube, deviceClass), static (reader, state) =>
                        state.qube.Devices.Add(ReadDevice(reader, state.deviceClass)));
                    break;
                case "volume-config":
                    StoreReader.ForEachChild(reader, qube, static (reader, qube) =>
                    {
                        qube.Volumes.Add(StoreReader.Attributes(reader));
                        reader.Skip();
                    });
                    break;
                default:
                    qube.Unknown.Add(reader.ReadOuterXml());
                    break;
            }
        });
        return qube;
    }

    private static KeyValuePair<string, string> ReadNamed(XmlReader reader)
    {
        string name = reader.GetAttribute("name") ?? "";
        return new(name, StoreReader.ReadText(reader));
    }

    private static StoredDevice ReadDevice(XmlReader reader, string deviceClass)
    {
        StoredDevice device = new() { DeviceClass = deviceClass, Attributes = StoreReader.Attributes(reader) };
        StoreReader.ForEachChild(reader, device, static (reader, device) => device.Options.Add(ReadNamed(reader)));
        return device;
    }
}
