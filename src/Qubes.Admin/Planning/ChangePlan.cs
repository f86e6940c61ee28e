using System.Buffers;
using System.Text.Json;
using Qubes.Admin.State;

namespace Qubes.Admin.Planning;

/// <summary>What a document would do: found on a copy of the model.</summary>
internal sealed class ChangePlan
{
    private static readonly HashSet<string> AtStart = new(StringComparer.Ordinal)
    {
        "kernel", "kernelopts", "virt_mode", "memory", "maxmem", "vcpus", "stubdom_mem", "mac", "ip", "ip6", "debug", "bootmode",
        "template", "devices", "provides_network",
    };

    private static readonly string[] AtStartFeatures =
    [
        "os", "no-nomodeset", "no-default-kernelopts", "apparmor", "selinux", "uefi", "memory-hotplug", "linux-stubdom",
        "stubdom-qrexec", "audio-model", "video-model", "qemu-extra-args", "timezone", "pci-e820-host",
    ];

    // Properties that give another qube a hold on this one beyond what policy decides.
    private static readonly Dictionary<string, string> Holds = new(StringComparer.Ordinal)
    {
        ["netvm"] = "network", ["guivm"] = "screen", ["audiovm"] = "sound", ["management_dispvm"] = "management", ["template"] = "software",
    };

    /// <summary>The steps in an order that succeeds, without those that change nothing.</summary>
    public required IReadOnlyList<ChangeStep> Steps { get; init; }

    public required StateDelta Delta { get; init; }

    /// <summary>The system's parts afterwards.</summary>
    public required StateFragment System { get; init; }

    public required IReadOnlyList<WidenedRight> Rights { get; init; }

    public required bool RightsAreComplete { get; init; }

    // {"revision":N,
    //  "changes":[{"qube":"","part":"","before":…,"after":…}*]      qube "" is the system; part exists, power_state, properties.NAME, …
    //  "restart":[{"qube":"","because":[""*]}*],
    //  "rights":[{"service":"","argument":"","source":"","target":"","before":"","after":"","rule":""}*],"rights_complete":BOOL,
    //  "holds":[{"kind":"","qube":"","before":"","after":""}*]}

    /// <param name="sees">What the caller may be told of a qube (or, with an empty name, of the system).</param>
    public void Write(IBufferWriter<byte> output, long revision, Func<string, QubeSections> sees)
    {
        using Utf8JsonWriter json = new(output, JsonText.Options);
        json.WriteStartObject();
        json.WriteNumber("revision"u8, revision);
        WriteChanges(json, sees);
        WriteRestarts(json, sees);
        WriteRights(json, sees);
        WriteHolds(json, sees);
        json.WriteEndObject();
    }

    /// <summary>The parts that became others, with both values as JSON.</summary>
    private static IEnumerable<(string Part, string Before, string After)> Parts(StateFragment before, StateFragment after, QubeSections sees)
    {
        for (int i = 0; i < after.Layout.Names.Length; i++)
        {
            if (!before.Part(i, sees).SequenceEqual(after.Part(i, sees)))
            {
                yield return (after.Layout.Names[i], Text(before, i), Text(after, i));
            }
        }
    }

    private static string Text(StateFragment fragment, int part) => global::System.Text.Encoding.UTF8.GetString(fragment.Part(part));

    private void WriteChanges(Utf8JsonWriter json, Func<string, QubeSections> sees)
    {
        json.WriteStartArray("changes"u8);
        if (Delta.SystemBefore is { } was && sees("") is not QubeSections.None and var system)
        {
            WriteParts(json, "", was, System, system);
        }

        foreach (QubeDelta delta in Delta.Qubes.Where(delta => sees(delta.Name) != QubeSections.None))
        {
            if (delta.Before is null || delta.After is null)
            {
                json.WriteStartObject();
                json.WriteString("qube"u8, delta.Name);
                json.WriteString("part"u8, "exists"u8);
                json.WriteBoolean("before"u8, delta.After is null);
                json.WriteBoolean("after"u8, delta.After is not null);
                json.WriteEndObject();
            }
            else
            {
                WriteParts(json, delta.Name, delta.Before, delta.After, sees(delta.Name));
            }
        }

        json.WriteEndArray();
    }

    private static void WriteParts(Utf8JsonWriter json, string qube, StateFragment before, StateFragment after, QubeSections sees)
    {
        for (int i = 0; i < after.Layout.Names.Length; i++)
        {
            if (before.Part(i, sees).SequenceEqual(after.Part(i, sees)))
            {
                continue;
            }

            string name = after.Layout.Names[i];
            json.WriteStartObject();
            json.WriteString("qube"u8, qube);
            json.WriteString("part"u8, after.Layout.IsProperty(i) ? "properties." + name : name);
            json.WritePropertyName("before"u8);
            json.WriteRawValue(before.Part(i), skipInputValidation: true);
            json.WritePropertyName("after"u8);
            json.WriteRawValue(after.Part(i), skipInputValidation: true);
            json.WriteEndObject();
        }
    }

    private void WriteRestarts(Utf8JsonWriter json, Func<string, QubeSections> sees)
    {
        json.WriteStartArray("restart"u8);
        foreach (QubeDelta delta in Delta.Qubes.Where(delta => delta.Before is not null && delta.Qube is { IsHalted: false }))
        {
            string[] because =
            [
                .. Parts(delta.Before!, delta.After!, sees(delta.Name)).SelectMany(part => part.Part == "features" ? StartFeatures(part.Before, part.After)
                    : AtStart.Contains(part.Part) ? [part.Part] : (string[])[]),
            ];
            if (because.Length == 0)
            {
                continue;
            }

            json.WriteStartObject();
            json.WriteString("qube"u8, delta.Name);
            json.WriteStartArray("because"u8);
            foreach (string part in because)
            {
                json.WriteStringValue(part);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string[] StartFeatures(string before, string after)
    {
        using JsonDocument was = JsonDocument.Parse(before);
        using JsonDocument now = JsonDocument.Parse(after);
        return [.. AtStartFeatures.Where(name => Value(was, name) != Value(now, name)).Select(name => "feature " + name)];

        static string? Value(JsonDocument features, string name) =>
            features.RootElement.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
    }

    private void WriteRights(Utf8JsonWriter json, Func<string, QubeSections> sees)
    {
        json.WriteStartArray("rights"u8);
        foreach (WidenedRight right in Rights.Where(right =>
            sees(right.Source) != QubeSections.None && (right.Target.StartsWith('@') || sees(right.Target) != QubeSections.None)))
        {
            json.WriteStartObject();
            json.WriteString("service"u8, right.Service);
            json.WriteString("argument"u8, right.Argument);
            json.WriteString("source"u8, right.Source);
            json.WriteString("target"u8, right.Target);
            json.WriteString("before"u8, right.Before);
            json.WriteString("after"u8, right.After);
            json.WriteString("rule"u8, right.Rule);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteBoolean("rights_complete"u8, RightsAreComplete);
    }

    private void WriteHolds(Utf8JsonWriter json, Func<string, QubeSections> sees)
    {
        json.WriteStartArray("holds"u8);
        foreach (QubeDelta delta in Delta.Qubes.Where(delta => delta.Before is not null && delta.After is not null))
        {
            foreach ((string part, string before, string after) in Parts(delta.Before!, delta.After!, sees(delta.Name)))
            {
                if (part == "firewall" && FirewallReach.MayWiden(Rules(before), Rules(after)))
                {
                    WriteHold(json, "reach", delta.Name, string.Join("; ", Rules(before)), string.Join("; ", Rules(after)));
                }
                else if (part == "devices")
                {
                    foreach (string backend in NewBackends(before, after))
                    {
                        WriteHold(json, "device", delta.Name, "", backend);
                    }
                }

                if (!Holds.TryGetValue(part, out string? kind) || Value(after) is not { Length: > 0 } now || Value(before) == now)
                {
                    continue;
                }

                WriteHold(json, kind, delta.Name, Value(before), now);
            }
        }

        json.WriteEndArray();

        static string Value(string property)
        {
            using JsonDocument document = JsonDocument.Parse(property);
            return document.RootElement.GetProperty("value").GetString() ?? "";
        }
    }

    /// <summary>Rules that cannot be read let nothing through, as none do.</summary>
    private static string[] Rules(string part)
    {
        using JsonDocument rules = JsonDocument.Parse(part);
        return rules.RootElement.ValueKind == JsonValueKind.Null ? [] : [.. rules.RootElement.EnumerateArray().Select(rule => rule.GetString()!)];
    }

    /// <summary>Whose devices were not assigned before: they are wherever the device is.</summary>
    private static IEnumerable<string> NewBackends(string before, string after)
    {
        using JsonDocument was = JsonDocument.Parse(before);
        using JsonDocument now = JsonDocument.Parse(after);
        HashSet<string> known = [.. was.RootElement.EnumerateArray().Select(Device)];
        return [.. now.RootElement.EnumerateArray().Where(d => !known.Contains(Device(d))).Select(d => d.GetProperty("backend").GetString()!).Distinct()];

        static string Device(JsonElement device) =>
            $"{device.GetProperty("class")} {device.GetProperty("backend")}:{device.GetProperty("port")}:{device.GetProperty("device_id")}";
    }

    private static void WriteHold(Utf8JsonWriter json, string kind, string qube, string before, string after)
    {
        json.WriteStartObject();
        json.WriteString("kind"u8, kind);
        json.WriteString("qube"u8, qube);
        json.WriteString("before"u8, before);
        json.WriteString("after"u8, after);
        json.WriteEndObject();
    }
}
