using Qubes.Model.Foreign;

namespace Qubes.Store.Format;

/// <summary>Writes an assignment as it was read, in a section of its own, for one that cannot be used.</summary>
internal static class DeviceXml
{
    private const int Level = 3;

    public static string Of(StoredDevice device)
    {
        ForeignXml? atDevice = device.Foreign["device"];
        XmlOutput output = new();
        output.Start(Level, "devices"u8, foreign: null).Attribute("class"u8, device.DeviceClass).Raw(">\n"u8);
        output.Start(Level + 1, "device"u8, atDevice);
        foreach ((string name, string value) in device.Attributes)
        {
            output.Attribute(name, value);
        }

        if (output.EndOfStart(atDevice, device.Options.Count > 0))
        {
            foreach ((string name, string value) in device.Options)
            {
                output.NamedLine(Level + 2, "option"u8, name, value, device.Foreign["option", name]);
            }

            output.End(Level + 1, "device"u8, atDevice);
        }

        output.End(Level, "devices"u8, foreign: null);
        return System.Text.Encoding.UTF8.GetString(output.Written);
    }
}
