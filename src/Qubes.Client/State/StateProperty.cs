using System.Text.Json;

namespace Qubes.Client.State;

/// <summary>A property as the state tells it.</summary>
/// <param name="Type">Type word: <c>str</c>, <c>int</c>, <c>bool</c>, <c>vm</c> or <c>label</c>.</param>
/// <param name="Value">The value's text; null if the property is unset.</param>
/// <param name="IsDefault">No value is stored: this is the default in effect.</param>
public sealed record StateProperty(string Type, string? Value, bool IsDefault)
{
    internal static StateProperty Parse(JsonElement json) =>
        new(json.GetProperty("type").GetString()!, json.GetProperty("value").GetString(), json.GetProperty("default").GetBoolean());

    /// <summary>Reads an object of properties on top of those known before.</summary>
    internal static IReadOnlyDictionary<string, StateProperty> ParseAll(JsonElement json, IReadOnlyDictionary<string, StateProperty>? before = null)
    {
        Dictionary<string, StateProperty> properties = before is null ? new(StringComparer.Ordinal) : new(before, StringComparer.Ordinal);
        foreach (JsonProperty member in json.EnumerateObject())
        {
            properties[member.Name] = Parse(member.Value);
        }

        return properties;
    }
}
