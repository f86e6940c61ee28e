using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Foreign;
using Qubes.Model.Properties;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Protocol.Properties;
using Qubes.Store.Format;

namespace Qubes.Store.Loading;

/// <summary>Makes one qube of what the store says. Any exception means that the entry cannot be used.</summary>
internal static class QubeLoader
{
    private static readonly string[] Modes = ["required", "auto-attach", "ask-to-attach"];

    /// <summary>Creates the qube with its volumes and stage-2 properties, and adds it to the application.</summary>
    public static Qube Create(QubesApp app, StoredQube stored)
    {
        if (!app.Classes.TryFind(stored.Class, out QubeClass? qubeClass))
        {
            throw QubesErrors.General($"no such VM class: '{stored.Class}'");
        }

        Migrations.RenameProperties(qubeClass, stored);
        foreach (KeyValuePair<string, string> property in stored.Properties)
        {
            if (!qubeClass.Properties.Contains(property.Key))
            {
                throw QubesErrors.General($"{stored.Class} has no property '{property.Key}'");
            }
        }

        Qube qube = app.Domains.Load(qubeClass, IdentityOf(qubeClass, stored));
        try
        {
            if (qube is QubesVM vm)
            {
                LoadVolumes(vm, stored);
            }

            LoadProperties(qube, stored, PropertyStage.Qube);
        }
        catch
        {
            app.Domains.Unload(qube);
            throw;
        }

        return qube;
    }

    /// <summary>Loads what may refer to other qubes: the rest of the properties, features, tags and devices.</summary>
    public static void Complete(Qube qube, StoredQube stored, Action<string> report)
    {
        LoadProperties(qube, stored, PropertyStage.References);
        foreach ((string name, string value) in stored.Features)
        {
            qube.Features.Load(name, value);
        }

        foreach (string tag in stored.Tags)
        {
            qube.Tags.Load(TagName.Parse(tag));
        }

        foreach (StoredDevice device in stored.Devices)
        {
            LoadDevice(qube, device, stored.Foreign, report);
        }

        qube.Foreign = stored.Foreign.IsEmpty ? null : stored.Foreign;
        if (qube.Class.HasTemplate && qube.Template is null)
        {
            throw QubesErrors.General("it has no template");
        }
    }

    private static QubeIdentity IdentityOf(QubeClass qubeClass, StoredQube stored)
    {
        if (qubeClass == QubeClasses.AdminVM)
        {
            return default;
        }

        int qid = (int)PropertyPayload.ToInteger(stored.Property("qid") ?? throw QubesErrors.Value("it has no qid"));
        if (qid is < 1 or > QubeCollection.MaxQid)
        {
            throw QubesErrors.Value($"qid {qid} is out of range");
        }

        // A qube of an old store without a UUID gets one.
        QubeUuid uuid = stored.Property("uuid") is { Length: > 0 } text ? PropertyPayload.ToUuid(text) : new QubeUuid(Guid.NewGuid());
        return new QubeIdentity(QubeName.Parse(stored.Property("name") ?? ""), qid, uuid);
    }

    private static void LoadVolumes(QubesVM qube, StoredQube stored)
    {
        List<VolumeConfig> volumes = [.. qube.Class.Volumes];
        foreach (List<KeyValuePair<string, string>> attributes in stored.Volumes)
        {
            string? name = attributes.Find(a => a.Key == "name").Value;
            int at = volumes.FindIndex(v => v.Name == name);
            VolumeConfig merged = Migrations.Volume(qube.App, VolumeAttributes.Merge(at < 0 ? null : volumes[at], attributes));
            if (at < 0)
            {
                volumes.Add(merged);
            }
            else
            {
                volumes[at] = merged;
            }
        }

        qube.Volumes.Load(volumes);
    }

    private static void LoadProperties(Qube qube, StoredQube stored, PropertyStage stage)
    {
        foreach ((string name, string text) in stored.Properties)
        {
            PropertyDefinition property = qube.Property(name);
            if (property.Stage == stage && !IsIdentity(qube, property))
            {
                property.LoadText(qube, Migrations.PropertyText(qube.App, name, text));
            }
        }
    }

    // Taken when the qube was created. Those of dom0 are no stored properties, and loading them fails as it must.
    private static bool IsIdentity(Qube qube, PropertyDefinition property) =>
        qube is not AdminVM && property.Name is "name" or "qid" or "uuid";

    private static void LoadDevice(Qube qube, StoredDevice stored, ForeignParts foreign, Action<string> report)
    {
        DeviceAssignment device = Migrations.Device(stored);
        if (qube is not LocalQube local || !Modes.Contains(device.Mode))
        {
            foreign.Add(ForeignKeys.UnusableDevices, "", new ForeignXml(Before: "", Attributes: "", Inside: DeviceXml.Of(stored)));
            report($"{qube.Name}: device assignment {device} with mode '{device.Mode}' was set aside");
            return;
        }

        if (local.Devices.All.Any(device.IsSameDevice))
        {
            throw QubesErrors.DeviceAlreadyAssigned($"device {device} is assigned twice");
        }

        local.Devices.Load(device);
        foreign.AddDevice(device, stored.Foreign);
    }
}
