using System.Text;
using System.Text.Json;
using Qubes.Model.Features;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Planning;

/// <summary>The parts documents are made of. Errors are <c>ProtocolError</c>s that begin with the place, a JSON pointer.</summary>
internal static class ChangeJson
{
    public static ProtocolErrorException Wrong(string place, string text) => QubesErrors.Protocol($"{(place.Length == 0 ? "/" : place)}: {text}");

    public static string? FeatureValue(string place, JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.True => QubeFeatures.True,
        JsonValueKind.False => QubeFeatures.False,
        _ => Value(place, json),
    };

    public static string? Value(string place, JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => Text(place, json),
        JsonValueKind.True => "True",
        JsonValueKind.False => "False",
        JsonValueKind.Number => json.GetRawText(),
        _ => throw Wrong(place, "expected a text, a number, a boolean or null"),
    };

    public static bool Bool(string place, JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(place, "expected true or false"),
    };

    public static string? TextOrNull(string place, JsonElement json) => json.ValueKind == JsonValueKind.Null ? null : Text(place, json);

    public static string Text(string place, JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.String)
        {
            throw Wrong(place, "expected a text");
        }

        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair is valid JSON, but no text.
            throw Wrong(place, "not a valid text");
        }
    }

    /// <summary>The members of an object with their places; each name once.</summary>
    public static IEnumerable<(string Place, JsonProperty Member)> Members(string place, JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw Wrong(place, "expected an object");
        }

        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (JsonProperty member in json.EnumerateObject())
        {
            string name;
            try
            {
                name = member.Name;
            }
            catch (InvalidOperationException)
            {
                throw Wrong(place, "the name of a member is not a valid text");
            }

            // A name of qube, property, feature or tag; whatever else is in it must not get into messages.
            if (!Ascii.IsValid(name) || name.Any(char.IsControl))
            {
                throw Wrong(place, "the name of a member has characters no name has");
            }

            string at = $"{place}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";
            yield return names.Add(name) ? (at, member) : throw Wrong(at, "is there twice");
        }
    }
}
