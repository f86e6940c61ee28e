using System.Collections.Immutable;
using System.Text.Json;

namespace Qubes.Client.State;

/// <summary>
/// Reads the reply of <c>admin.state.Get</c> in pieces, as they come: the whole text, some thousand bytes a qube, is never in memory at once.
/// <code>
/// {"format":1,"revision":N,"position":"RUN.NUMBER","system":SYSTEM|null,"qubes":{NAME:QUBE*}}
/// </code>
/// </summary>
/// <remarks>What it throws for a text of another form is for its caller to translate.</remarks>
internal sealed class StateParser
{
    private readonly PropertyLayouts _layouts = new();
    private readonly ImmutableSortedDictionary<string, QubeState>.Builder _qubes =
        ImmutableSortedDictionary.CreateBuilder<string, QubeState>(StringComparer.Ordinal);

    private JsonReaderState _json;
    private bool _inQubes;
    private bool _hasQubes;
    private long? _revision;
    private string? _position;
    private bool _hasSystem;
    private GlobalState? _system;

    /// <summary>Takes what is whole of the next piece.</summary>
    /// <param name="text">The piece, beginning with what the last call left of its own.</param>
    /// <param name="isLast">Nothing follows.</param>
    /// <returns>How many bytes were taken.</returns>
    public int Take(ReadOnlySpan<byte> text, bool isLast)
    {
        Utf8JsonReader reader = new(text, isLast, _json);
        long taken;
        do
        {
            taken = reader.BytesConsumed;
            _json = reader.CurrentState;
        }
        while (TryTakeMember(ref reader));
        return (int)taken;
    }

    /// <summary>The state, when the last piece was taken.</summary>
    public SystemState Finish() => new()
    {
        Revision = _revision ?? throw new FormatException("no revision"),
        Position = _position ?? throw new FormatException("no position"),
        System = _hasSystem ? _system : throw new FormatException("no system"),
        Qubes = _hasQubes ? _qubes.ToImmutable() : throw new FormatException("no qubes"),
    };

    /// <summary>False, and nothing of it taken: the next member, or the end, has not come as a whole.</summary>
    private bool TryTakeMember(ref Utf8JsonReader reader)
    {
        if (!reader.Read())
        {
            return false;
        }

        if (reader.TokenType != JsonTokenType.PropertyName)
        {
            // The beginning and the end of the whole, and the end of the qubes.
            _inQubes = false;
            return reader.TokenType is JsonTokenType.StartObject or JsonTokenType.EndObject ? true : throw new FormatException("no object");
        }

        string name = reader.GetString()!;
        if (!_inQubes && name == "qubes")
        {
            if (!reader.Read())
            {
                return false;
            }

            _inQubes = reader.TokenType == JsonTokenType.StartObject ? true : throw new FormatException("the qubes are no object");
            _hasQubes = true;
            return true;
        }

        if (!JsonDocument.TryParseValue(ref reader, out JsonDocument? value))
        {
            return false;
        }

        using (value)
        {
            Take(name, value.RootElement);
        }

        return true;
    }

    private void Take(string name, JsonElement json)
    {
        if (_inQubes)
        {
            _qubes[name] = QubeState.Parse(name, json, _layouts);
            return;
        }

        switch (name)
        {
            case "revision":
                _revision = json.GetInt64();
                break;
            case "position":
                _position = json.GetString();
                break;
            case "system":
                _system = GlobalState.Parse(json);
                _hasSystem = true;
                break;
            default:
                // A later version tells more.
                break;
        }
    }
}
