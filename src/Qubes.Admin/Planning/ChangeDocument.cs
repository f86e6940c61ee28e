using System.Globalization;
using System.Text;
using System.Text.Json;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Planning;

/// <summary>
/// A set of changes as one document:
/// <code>
/// { "revision": N,
///   "system": { "properties": { NAME: VALUE } },
///   "qubes": { QUBE: { "create": { "class": "", "label": "", "template": "", "pool": "" }  or  "remove": true,
///                      "properties": { NAME: VALUE }, "features": { NAME: VALUE }, "tags": { NAME: true|false } } } }
/// </code>
/// VALUE is a text, a number or a boolean, which stand for their text, or null for "not set". Every member is optional; the order of
/// members means nothing. Only the form is checked here.
/// </summary>
internal sealed class ChangeDocument
{
    private const int MaxDepth = 6;

    private readonly List<ChangeStep> _steps = [];

    private ChangeDocument()
    {
    }

    /// <summary>The revision of the state the author knew; null if the document does not say.</summary>
    public long? Revision { get; private set; }

    public IReadOnlyList<ChangeStep> Steps => _steps;

    /// <exception cref="QubesException"><c>ProtocolError</c>, beginning with the place.</exception>
    public static ChangeDocument Parse(ReadOnlyMemory<byte> untrustedJson)
    {
        ChangeDocument document = new();
        try
        {
            using JsonDocument json = JsonDocument.Parse(untrustedJson, new JsonDocumentOptions { MaxDepth = MaxDepth });
            foreach ((string place, JsonProperty member) in Members("", json.RootElement))
            {
                document.Take(place, member);
            }
        }
        catch (JsonException e)
        {
            throw QubesErrors.Protocol(string.Create(CultureInfo.InvariantCulture,
                $"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}: not a JSON document, or nested too deeply"));
        }

        return document;
    }

    private static ProtocolErrorException Wrong(string place, string text) => QubesErrors.Protocol($"{(place.Length == 0 ? "/" : place)}: {text}");

    private void Take(string place, JsonProperty member)
    {
        switch (member.Name)
        {
            case "revision":
                Revision = member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetInt64(out long revision) && revision >= 0
                    ? revision
                    : throw Wrong(place, "expected a revision number");
                break;
            case "system":
                foreach ((string at, JsonProperty part) in Members(place, member.Value))
                {
                    if (part.Name != "properties")
                    {
                        throw Wrong(at, "unknown member, expected properties");
                    }

                    TakeProperties(at, "", part.Value);
                }

                break;
            case "qubes":
                foreach ((string at, JsonProperty qube) in Members(place, member.Value))
                {
                    TakeQube(at, qube.Name, qube.Value);
                }

                break;
            default:
                throw Wrong(place, "unknown member, expected revision, system or qubes");
        }
    }

    private void TakeQube(string place, string untrustedQube, JsonElement json)
    {
        if (untrustedQube.Length == 0)
        {
            throw Wrong(place, "expected the name of a qube");
        }

        bool creates = false;
        bool removes = false;
        int before = _steps.Count;
        foreach ((string at, JsonProperty member) in Members(place, json))
        {
            switch (member.Name)
            {
                case "create":
                    creates = true;
                    TakeCreate(at, untrustedQube, member.Value);
                    break;
                case "remove":
                    removes = Bool(at, member.Value) ? true : throw Wrong(at, "expected true");
                    _steps.Add(new RemoveStep(at, untrustedQube));
                    break;
                case "properties":
                    TakeProperties(at, untrustedQube, member.Value);
                    break;
                case "features":
                    foreach ((string feature, JsonProperty item) in Members(at, member.Value))
                    {
                        _steps.Add(new FeatureStep(feature, untrustedQube, item.Name, FeatureValue(feature, item.Value)));
                    }

                    break;
                case "tags":
                    foreach ((string tag, JsonProperty item) in Members(at, member.Value))
                    {
                        _steps.Add(new TagStep(tag, untrustedQube, item.Name, Bool(tag, item.Value)));
                    }

                    break;
                default:
                    throw Wrong(at, "unknown member, expected create, remove, properties, features or tags");
            }
        }

        if (removes && (creates || _steps.Count - before > 1))
        {
            throw Wrong(place, "a qube that is removed cannot be changed");
        }
    }

    private void TakeCreate(string place, string untrustedQube, JsonElement json)
    {
        Dictionary<string, string> texts = new(StringComparer.Ordinal);
        foreach ((string at, JsonProperty member) in Members(place, json))
        {
            if (member.Name is not ("class" or "label" or "template" or "pool"))
            {
                throw Wrong(at, "unknown member, expected class, label, template or pool");
            }

            texts[member.Name] = member.Value.ValueKind == JsonValueKind.String ? Text(at, member.Value) : throw Wrong(at, "expected a text");
        }

        _steps.Add(new CreateStep(
            place,
            untrustedQube,
            texts.GetValueOrDefault("class") ?? throw Wrong(place, "expected a class"),
            texts.GetValueOrDefault("template"),
            texts.GetValueOrDefault("label") ?? throw Wrong(place, "expected a label"),
            texts.GetValueOrDefault("pool")));
    }

    private void TakeProperties(string place, string untrustedQube, JsonElement json)
    {
        foreach ((string at, JsonProperty member) in Members(place, json))
        {
            _steps.Add(new PropertyStep(at, untrustedQube, member.Name, Value(at, member.Value)));
        }
    }

    private static string? FeatureValue(string place, JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.True => Model.Features.QubeFeatures.True,
        JsonValueKind.False => Model.Features.QubeFeatures.False,
        _ => Value(place, json),
    };

    private static string? Value(string place, JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => Text(place, json),
        JsonValueKind.True => "True",
        JsonValueKind.False => "False",
        JsonValueKind.Number => json.GetRawText(),
        _ => throw Wrong(place, "expected a text, a number, a boolean or null"),
    };

    private static bool Bool(string place, JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(place, "expected true or false"),
    };

    private static string Text(string place, JsonElement json)
    {
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
    private static IEnumerable<(string Place, JsonProperty Member)> Members(string place, JsonElement json)
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
