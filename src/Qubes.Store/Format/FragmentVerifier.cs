using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Properties;

namespace Qubes.Store.Format;

/// <summary>
/// Reads a freshly written fragment back and compares it with the model, so that nothing replaces the store that would not be
/// read as what it should say.
/// </summary>
internal static class FragmentVerifier
{
    /// <exception cref="InvalidDataException">The fragment does not say what the model holds.</exception>
    public static void Verify(Qube qube, ReadOnlyMemory<byte> fragment)
    {
        StoredQube stored;
        try
        {
            stored = StoreReader.ReadQube(fragment);
        }
        catch (System.Xml.XmlException e)
        {
            throw new InvalidDataException($"{qube.Name} cannot be written as XML", e);
        }

        Check(qube, "class", stored.Class == qube.Klass);
        Check(qube, "properties", stored.Properties.SequenceEqual(
            qube.Properties.InListOrder.Where(p => p.IsExplicit(qube)).Select(p => Pair(p, qube))));
        Check(qube, "features", stored.Features.SequenceEqual(qube.Features.All));
        Check(qube, "tags", stored.Tags.SequenceEqual(qube.Tags.All, StringComparer.Ordinal));
        if (qube is LocalQube local)
        {
            Check(qube, "devices", HasSameDevices(stored, local));
        }

        if (qube is QubesVM vm)
        {
            Check(qube, "volumes", stored.Volumes.Count == vm.Volumes.All.Count
                && stored.Volumes.Zip(vm.Volumes.All).All(pair => pair.First.SequenceEqual(VolumeAttributes.Of(pair.Second))));
        }

        // Of what is gone there may be some left in the model.
        Check(qube, "unknown parts", stored.Foreign.All.All(part => qube.Foreign?[part.Key.Element, part.Key.Item] == part.Value)
            && stored.Foreign["domain"] == qube.Foreign?["domain"]);
    }

    private static KeyValuePair<string, string> Pair(PropertyDefinition property, Qube qube) => new(property.Name, property.StoreText(qube));

    // Assignments that cannot be used are kept as XML and read back as devices too, hence at least those of the model.
    private static bool HasSameDevices(StoredQube stored, LocalQube qube) => stored.Devices.Count >= qube.Devices.All.Count
        && qube.Devices.All.All(device => stored.Devices.Exists(s => IsSame(s, device)));

    private static bool IsSame(StoredDevice stored, DeviceAssignment device) => stored.DeviceClass == device.DeviceClass
        && stored.Attribute("backend-domain") == device.Backend
        && stored.Attribute("id") == device.Port
        && stored.Attribute("mode") == device.Mode
        && stored.Attribute("identity") == device.DeviceId
        && stored.Options.SequenceEqual(device.Options);

    private static void Check(Qube qube, string part, bool same)
    {
        if (!same)
        {
            throw new InvalidDataException($"the {part} of {qube.Name} were not written faithfully");
        }
    }
}
