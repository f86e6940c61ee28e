using System.Globalization;
using Qubes.Client.State;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Properties;

namespace Qubes.Admin.Tests.State;

/// <summary>The state as text, to compare what a mirror has with what single reads of the model give.</summary>
internal static class StateText
{
    public static string Of(QubesApp app)
    {
        List<string> lines = [];
        AddProperties(lines, "", app);
        lines.AddRange(app.Labels.All.Select(label => string.Create(CultureInfo.InvariantCulture, $"label {label.Name} {label.Index} {label.Color}")));
        lines.AddRange(app.Pools.All.Select(pool => $"pool {pool.Name} {pool.Driver}"));
        foreach (Qube qube in app.Domains)
        {
            lines.Add($"{qube} {qube.Klass} {qube.Uuid} {qube.PowerState}");
            AddProperties(lines, qube.Name, qube);
            lines.Add($"{qube} features {string.Join('|', qube.Features.All.Select(f => $"{f.Key}={f.Value}"))}");
            lines.Add($"{qube} tags {string.Join('|', qube.Tags.All)}");
            IReadOnlyList<DeviceAssignment> devices = qube is LocalQube local ? local.Devices.All : [];
            lines.Add($"{qube} devices {Text(devices)}");
            lines.Add($"{qube} attached {(qube is LocalQube has ? Text(app.Devices.AttachedTo(has)) : "")}");
            QubesVM? vm = qube as QubesVM;
            lines.Add($"{qube} firewall {(vm?.Firewall.IsLoaded == true ? string.Join('|', vm.Firewall.Rules) : "unknown")}");
            lines.Add($"{qube} notes {vm?.Notes.Digest ?? "unknown"}");
        }

        return Sorted(lines);
    }

    public static string Of(SystemState state)
    {
        List<string> lines = [];
        AddProperties(lines, "", state.System!.Properties);
        lines.AddRange(state.System.Labels.Select(l => string.Create(CultureInfo.InvariantCulture, $"label {l.Key} {l.Value.Index} {l.Value.Color}")));
        lines.AddRange(state.System.Pools.Select(pool => $"pool {pool.Key} {pool.Value}"));
        foreach (QubeState qube in state.Qubes.Values)
        {
            lines.Add($"{qube.Name} {qube.Class} {qube.Uuid} {qube.PowerState}");
            AddProperties(lines, qube.Name, qube.Properties);
            lines.Add($"{qube.Name} features {string.Join('|', qube.Features.Select(f => $"{f.Key}={f.Value}"))}");
            lines.Add($"{qube.Name} tags {string.Join('|', qube.Tags)}");
            lines.Add($"{qube.Name} devices {Text(qube.Devices!)}");
            lines.Add($"{qube.Name} attached {Text(qube.Attached!)}");
            lines.Add($"{qube.Name} firewall {(qube.Firewall is null ? "unknown" : string.Join('|', qube.Firewall))}");
            lines.Add($"{qube.Name} notes {qube.NotesDigest ?? "unknown"}");
        }

        return Sorted(lines);
    }

    private static void AddProperties(List<string> lines, string holder, PropertyHolder properties)
    {
        foreach (PropertyDefinition property in properties.Properties.InListOrder)
        {
            PropertyReading reading = property.Read(properties);
            lines.Add($"{holder} {property.Name} {reading.TypeWord} {(reading.HasValue ? $"'{reading.Text}'" : "unset")} {reading.IsDefault || !reading.HasValue}");
        }
    }

    private static void AddProperties(List<string> lines, string holder, IReadOnlyDictionary<string, StateProperty> properties) =>
        lines.AddRange(properties.Select(p => $"{holder} {p.Key} {p.Value.Type} {(p.Value.Value is null ? "unset" : $"'{p.Value.Value}'")} {p.Value.IsDefault}"));

    private static string Text(IEnumerable<DeviceAssignment> devices) => string.Join('|', devices.Select(d =>
        $"{d.DeviceClass} {d} {d.Mode} {string.Join(',', d.Options.Select(o => $"{o.Key}={o.Value}"))}"));

    private static string Text(IReadOnlyList<StateDevice> devices) => string.Join('|', devices.Select(d =>
        $"{d.DeviceClass} {d.Backend}:{d.Port}:{d.DeviceId} {d.Mode} {string.Join(',', d.Options.Select(o => $"{o.Key}={o.Value}"))}"));

    private static string Sorted(List<string> lines)
    {
        lines.Sort(StringComparer.Ordinal);
        return string.Join('\n', lines);
    }
}
