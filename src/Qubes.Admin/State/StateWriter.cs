using System.Buffers;
using System.Globalization;
using System.Text;
using Qubes.Admin.Handlers;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Firewall;
using Qubes.Model.Labels;
using Qubes.Model.Notes;
using Qubes.Model.Properties;
using Qubes.Model.Volumes;

namespace Qubes.Admin.State;

/// <summary>
/// Makes fragments:
/// <code>
/// qube:   {"class":"","uuid":"","power_state":"","properties":{NAME:PROPERTY*},"features":{NAME:""*},"tags":[""*],
///          "devices":[DEVICE*],"attached":[DEVICE*],"firewall":["RULE"*]|null,"notes":"DIGEST"|null}
/// DEVICE: {"class":"","backend":"","port":"","device_id":"","mode":"","options":{NAME:""*}}
/// system: {"properties":{NAME:PROPERTY*},"labels":{NAME:{"index":N,"color":""}*},"pools":{NAME:{"driver":""}*}}
/// PROPERTY = {"type":"WORD","value":""|null,"default":true|false}
/// </code>
/// A value is the text <c>property.Get</c> gives, null when the property is unset. Rules are as <c>firewall.Get</c> gives them; null while
/// they were not or cannot be read, as the digest of the notes (<see cref="Model.Notes.QubeNotes.Digest"/>). Not thread-safe; reuses its buffer.
/// </summary>
internal sealed class StateWriter
{
    private readonly ArrayBufferWriter<byte> _output = new(8192);
    private readonly List<int> _marks = [];

    public StateFragment Write(Qube qube)
    {
        QubesApp app = qube.App;
        FragmentLayout layout = FragmentLayout.Of(qube.Properties, isQube: true);
        Begin();
        Raw("{\"class\":"u8);
        Text(qube.Klass);
        Raw(",\"uuid\":"u8);
        Text(qube.Uuid.ToString());
        Raw(",\"power_state\":"u8);
        Mark();
        Text(PowerStateText.Of(qube.PowerState));
        Mark();
        Raw(","u8);
        WriteProperties(layout, qube);
        Raw(",\"features\":"u8);
        WriteMap(qube.Features.All);
        Raw(",\"tags\":"u8);
        WriteTags(qube.Tags.All);
        Raw(",\"devices\":"u8);
        LocalQube? local = qube as LocalQube;
        WriteDevices(local?.Devices.All ?? []);
        Raw(",\"attached\":"u8);
        WriteDevices(local is null ? [] : app.Devices.AttachedTo(local));
        Raw(",\"firewall\":"u8);
        WriteFirewall((qube as QubesVM)?.Firewall);
        Raw(",\"notes\":"u8);
        WriteNotes((qube as QubesVM)?.Notes);
        Raw("}"u8);
        return End(layout);
    }

    public StateFragment Write(QubesApp app)
    {
        FragmentLayout layout = FragmentLayout.Of(app.Properties, isQube: false);
        Begin();
        Raw("{"u8);
        WriteProperties(layout, app);
        Raw(",\"labels\":"u8);
        WriteLabels(app.Labels.Settled);
        Raw(",\"pools\":"u8);
        WritePools(app.Pools.All);
        Raw("}"u8);
        return End(layout);
    }

    private void WriteProperties(FragmentLayout layout, PropertyHolder holder)
    {
        Raw("\"properties\":{"u8);
        for (int i = 0; i < layout.Properties.Length; i++)
        {
            PropertyDefinition property = layout.Properties[i];
            Separate(i);
            Text(property.Name);
            Raw(":"u8);
            Mark();
            PropertyReading reading = property.Read(holder);
            Raw(layout.Heads[i]);
            if (reading.HasValue)
            {
                Text(reading.Text);
            }
            else
            {
                Raw("null"u8);
            }

            Raw(reading.IsDefault || !reading.HasValue ? ",\"default\":true}"u8 : ",\"default\":false}"u8);
            Mark();
        }

        Raw("}"u8);
    }

    private void WriteMap(IReadOnlyList<KeyValuePair<string, string>> items)
    {
        Mark();
        WriteMapUnmarked(items);
        Mark();
    }

    private void WriteMapUnmarked(IReadOnlyList<KeyValuePair<string, string>> items)
    {
        Raw("{"u8);
        for (int i = 0; i < items.Count; i++)
        {
            Separate(i);
            Text(items[i].Key);
            Raw(":"u8);
            Text(items[i].Value);
        }

        Raw("}"u8);
    }

    private void WriteTags(IReadOnlyList<string> tags)
    {
        Mark();
        Raw("["u8);
        for (int i = 0; i < tags.Count; i++)
        {
            Separate(i);
            Text(tags[i]);
        }

        Raw("]"u8);
        Mark();
    }

    private void WriteFirewall(QubeFirewall? firewall)
    {
        Mark();
        if (firewall is { IsLoaded: true, Damage: null })
        {
            Raw("["u8);
            for (int i = 0; i < firewall.Rules.Count; i++)
            {
                Separate(i);
                Text(firewall.Rules[i].ApiText);
            }

            Raw("]"u8);
        }
        else
        {
            Raw("null"u8);
        }

        Mark();
    }

    private void WriteNotes(QubeNotes? notes)
    {
        Mark();
        if (notes?.Digest is { } digest)
        {
            Text(digest);
        }
        else
        {
            Raw("null"u8);
        }

        Mark();
    }

    private void WriteDevices(IEnumerable<DeviceAssignment> devices)
    {
        Mark();
        Raw("["u8);
        int i = 0;
        foreach (DeviceAssignment assignment in devices)
        {
            Separate(i++);
            Member("{\"class\":"u8, assignment.DeviceClass);
            Member(",\"backend\":"u8, assignment.Backend);
            Member(",\"port\":"u8, assignment.Port);
            Member(",\"device_id\":"u8, assignment.DeviceId);
            Member(",\"mode\":"u8, assignment.Mode);
            Raw(",\"options\":"u8);
            WriteMapUnmarked(assignment.Options);
            Raw("}"u8);
        }

        Raw("]"u8);
        Mark();
    }

    private void WriteLabels(IEnumerable<Label> labels)
    {
        Mark();
        Raw("{"u8);
        int i = 0;
        foreach (Label label in labels)
        {
            Separate(i++);
            Text(label.Name);
            Raw(":{\"index\":"u8);
            Raw(Encoding.ASCII.GetBytes(label.Index.ToString(CultureInfo.InvariantCulture)));
            Member(",\"color\":"u8, label.Color);
            Raw("}"u8);
        }

        Raw("}"u8);
        Mark();
    }

    private void WritePools(IReadOnlyList<PoolConfig> pools)
    {
        Mark();
        Raw("{"u8);
        for (int i = 0; i < pools.Count; i++)
        {
            Separate(i);
            Text(pools[i].Name);
            Member(":{\"driver\":"u8, pools[i].Driver);
            Raw("}"u8);
        }

        Raw("}"u8);
        Mark();
    }

    private void Begin()
    {
        _output.ResetWrittenCount();
        _marks.Clear();
    }

    private StateFragment End(FragmentLayout layout) => new(layout, _output.WrittenSpan.ToArray(), [.. _marks]);

    /// <summary>Here a part begins or ends.</summary>
    private void Mark() => _marks.Add(_output.WrittenCount);

    private void Separate(int index) => Raw(index == 0 ? default : ","u8);

    private void Member(ReadOnlySpan<byte> before, string value)
    {
        Raw(before);
        Text(value);
    }

    private void Raw(ReadOnlySpan<byte> bytes) => _output.Write(bytes);

    private void Text(string text) => JsonText.Write(_output, text);
}
