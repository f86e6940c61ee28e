using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Qubes.Policy.SystemState;

/// <summary>
/// The answer of <c>internal.GetSystemInfo</c>:
/// <code>
/// {"domains": {NAME: {"internal": TEXT|null, "tags": [TEXT...], "type": TEXT, "template_for_dispvms": BOOL,
///  "default_dispvm": TEXT|null, "icon": TEXT, "label": TEXT, "guivm": TEXT|null, "relayvm": TEXT|null,
///  "transport_rpc": TEXT|null, "power_state": TEXT, "uuid": TEXT}, ...}}
/// </code>
/// dom0 first, then by name.
/// </summary>
public static class SystemInfoJson
{
    /// <summary>Longest text accepted: room for some ten thousand qubes.</summary>
    public const int MaxBytes = 16 << 20;

    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = 8 };

    /// <summary>Writes ASCII text.</summary>
    public static byte[] Write(SystemInfo system)
    {
        PythonJson json = new();
        json.Open('{').Key("domains").Open('{');
        foreach (QubeInfo qube in system.Qubes.OrderBy(q => q.Type != "AdminVM").ThenBy(q => q.Name, StringComparer.Ordinal))
        {
            json.Key(qube.Name).Open('{')
                .Key("internal").Value(qube.Internal)
                .Key("tags").Values(qube.Tags)
                .Key("type").Value(qube.Type)
                .Key("template_for_dispvms").Value(qube.TemplateForDispvms)
                .Key("default_dispvm").Value(qube.DefaultDispvm)
                .Key("icon").Value(qube.Icon)
                .Key("label").Value(qube.Label)
                .Key("guivm").Value(qube.Guivm)
                .Key("relayvm").Value(qube.Relayvm)
                .Key("transport_rpc").Value(qube.TransportRpc)
                .Key("power_state").Value(qube.PowerState)
                .Key("uuid").Value(qube.Uuid)
                .Close('}');
        }

        return Encoding.ASCII.GetBytes(json.Close('}').Close('}').ToString());
    }

    /// <summary>
    /// Reads such a text. Keys that are missing count as null, false or empty, and unknown ones are ignored: both come from
    /// other versions. Keys of the form <c>uuid:…</c>, which some readers add, are left out, since they repeat an entry.
    /// </summary>
    /// <exception cref="FormatException">It is too long, no JSON, or of another shape.</exception>
    public static SystemInfo Parse(ReadOnlyMemory<byte> untrustedText)
    {
        if (untrustedText.Length > MaxBytes)
        {
            throw new FormatException("system information is too long");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(untrustedText, s_options);
            return new SystemInfo(
                [.. document.RootElement.GetProperty("domains").EnumerateObject().Where(d => !IsUuid(d)).Select(ReadQube)]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException("system information is not understood", e);
        }
    }

    private static bool IsUuid(JsonProperty domain) => domain.Name.StartsWith("uuid:", StringComparison.Ordinal);

    private static QubeInfo ReadQube(JsonProperty domain)
    {
        JsonElement qube = domain.Value;
        return new QubeInfo
        {
            Name = domain.Name,
            Internal = Text(qube, "internal"),
            Tags = qube.TryGetProperty("tags", out JsonElement tags)
                ? [.. tags.EnumerateArray().Select(t => t.GetString() ?? throw new FormatException("a tag is null"))]
                : ImmutableArray<string>.Empty,
            Type = Text(qube, "type") ?? "",
            TemplateForDispvms = qube.TryGetProperty("template_for_dispvms", out JsonElement template) && template.GetBoolean(),
            DefaultDispvm = Text(qube, "default_dispvm"),
            Icon = Text(qube, "icon") ?? "",
            Label = Text(qube, "label") ?? "",
            Guivm = Text(qube, "guivm"),
            Relayvm = Text(qube, "relayvm"),
            TransportRpc = Text(qube, "transport_rpc"),
            PowerState = Text(qube, "power_state") ?? "",
            Uuid = Text(qube, "uuid") ?? "",
        };
    }

    private static string? Text(JsonElement qube, string key) =>
        qube.TryGetProperty(key, out JsonElement value) ? value.GetString() : null;
}
