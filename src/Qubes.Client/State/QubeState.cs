using System.Text.Json;

namespace Qubes.Client.State;

/// <summary>One qube at one moment. Immutable.</summary>
public sealed record QubeState
{
    public required string Name { get; init; }

    /// <summary>Such as <c>AppVM</c>.</summary>
    public required string Class { get; init; }

    public required string Uuid { get; init; }

    /// <summary>Such as <c>Halted</c> or <c>Running</c>.</summary>
    public required string PowerState { get; init; }

    public required IReadOnlyDictionary<string, StateProperty> Properties { get; init; }

    /// <summary>Its own features, in order of insertion.</summary>
    public required IReadOnlyDictionary<string, string> Features { get; init; }

    /// <summary>Sorted.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>The devices assigned to it; null if the caller may not see them.</summary>
    public required IReadOnlyList<StateDevice>? Devices { get; init; }

    /// <summary>The devices it has at the moment; null if the caller may not see them.</summary>
    public required IReadOnlyList<StateDevice>? Attached { get; init; }

    /// <summary>
    /// Its firewall rules in order, as <c>admin.vm.firewall.Get</c> gives them; null if the caller may not see them, they are not
    /// or cannot be read, or its class has none.
    /// </summary>
    public required IReadOnlyList<string>? Firewall { get; init; }

    /// <summary>
    /// SHA-256 of its notes in small hex digits, empty without notes; null as for <see cref="Firewall"/>. A change means that
    /// <c>admin.vm.notes.Get</c> gives another text.
    /// </summary>
    public required string? NotesDigest { get; init; }

    internal static QubeState Parse(string name, JsonElement json, PropertyLayouts layouts)
    {
        string qubeClass = json.GetProperty("class").GetString()!;
        return new QubeState
        {
            Name = name,
            Class = qubeClass,
            Uuid = json.GetProperty("uuid").GetString()!,
            PowerState = json.GetProperty("power_state").GetString()!,
            Properties = layouts.Read(qubeClass, json.GetProperty("properties")),
            Features = ParseMap(json.GetProperty("features")),
            Tags = ParseTexts(json.GetProperty("tags")),
            Devices = ParseDevices(json.GetProperty("devices")),
            Attached = ParseDevices(json.GetProperty("attached")),
            Firewall = ParseRules(json.GetProperty("firewall")),
            NotesDigest = json.GetProperty("notes").GetString(),
        };
    }

    /// <summary>The qube after the parts in <paramref name="changes"/> became others.</summary>
    internal QubeState With(JsonElement changes)
    {
        QubeState after = this;
        foreach (JsonProperty member in changes.EnumerateObject())
        {
            after = member.Name switch
            {
                "power_state" => after with { PowerState = member.Value.GetString()! },
                "properties" => after with { Properties = StateProperty.ParseAll(member.Value, after.Properties) },
                "features" => after with { Features = ParseMap(member.Value) },
                "tags" => after with { Tags = ParseTexts(member.Value) },
                "devices" => after with { Devices = ParseDevices(member.Value) },
                "attached" => after with { Attached = ParseDevices(member.Value) },
                "firewall" => after with { Firewall = ParseRules(member.Value) },
                "notes" => after with { NotesDigest = member.Value.GetString() },

                // A later version tells more.
                _ => after,
            };
        }

        return after;
    }

    internal static IReadOnlyDictionary<string, string> ParseMap(JsonElement json)
    {
        OrderedDictionary<string, string> map = new(StringComparer.Ordinal);
        foreach (JsonProperty member in json.EnumerateObject())
        {
            map[member.Name] = member.Value.GetString()!;
        }

        return map;
    }

    private static string[] ParseTexts(JsonElement json) => [.. json.EnumerateArray().Select(text => text.GetString()!)];

    private static string[]? ParseRules(JsonElement json) => json.ValueKind == JsonValueKind.Null ? null : ParseTexts(json);

    private static StateDevice[]? ParseDevices(JsonElement json) =>
        json.ValueKind == JsonValueKind.Null ? null : [.. json.EnumerateArray().Select(StateDevice.Parse)];
}
