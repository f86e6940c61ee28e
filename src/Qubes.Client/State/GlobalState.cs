using System.Text.Json;

namespace Qubes.Client.State;

/// <summary>What belongs to no qube, at one moment. Immutable.</summary>
public sealed record GlobalState
{
    public required IReadOnlyDictionary<string, StateProperty> Properties { get; init; }

    public required IReadOnlyDictionary<string, StateLabel> Labels { get; init; }

    /// <summary>The driver of each storage pool.</summary>
    public required IReadOnlyDictionary<string, string> Pools { get; init; }

    /// <summary>Null for JSON's null: the caller may not see it.</summary>
    internal static GlobalState? Parse(JsonElement json) => json.ValueKind == JsonValueKind.Null ? null : new GlobalState
    {
        Properties = StateProperty.ParseAll(json.GetProperty("properties")),
        Labels = ParseLabels(json.GetProperty("labels")),
        Pools = ParsePools(json.GetProperty("pools")),
    };

    internal GlobalState With(JsonElement changes)
    {
        GlobalState after = this;
        foreach (JsonProperty member in changes.EnumerateObject())
        {
            after = member.Name switch
            {
                "properties" => after with { Properties = StateProperty.ParseAll(member.Value, after.Properties) },
                "labels" => after with { Labels = ParseLabels(member.Value) },
                "pools" => after with { Pools = ParsePools(member.Value) },
                _ => after,
            };
        }

        return after;
    }

    private static Dictionary<string, StateLabel> ParseLabels(JsonElement json) => json.EnumerateObject().ToDictionary(
        label => label.Name,
        label => new StateLabel(label.Value.GetProperty("index").GetInt32(), label.Value.GetProperty("color").GetString()!),
        StringComparer.Ordinal);

    private static Dictionary<string, string> ParsePools(JsonElement json) =>
        json.EnumerateObject().ToDictionary(pool => pool.Name, pool => pool.Value.GetProperty("driver").GetString()!, StringComparer.Ordinal);
}
