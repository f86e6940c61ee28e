using System.Collections.Immutable;
using System.Text.Json;

namespace Qubes.Client.State;

/// <summary>Everything the caller may see, at one moment. Immutable.</summary>
public sealed record SystemState
{
    /// <summary>The revision of the store it belongs to: what a change document and the history are about.</summary>
    public required long Revision { get; init; }

    /// <summary>Where in the sequence of states it stands, for <c>admin.state.Follow</c>. Not to be interpreted.</summary>
    public required string Position { get; init; }

    /// <summary>Null if the caller may not see it.</summary>
    public required GlobalState? System { get; init; }

    /// <summary>By name.</summary>
    public required ImmutableSortedDictionary<string, QubeState> Qubes { get; init; }

    /// <summary>Reads the reply of <c>admin.state.Get</c>.</summary>
    /// <exception cref="Protocol.Errors.QubesException">It has another form.</exception>
    public static SystemState Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            return new SystemState
            {
                Revision = root.GetProperty("revision").GetInt64(),
                Position = root.GetProperty("position").GetString()!,
                System = GlobalState.Parse(root.GetProperty("system")),
                Qubes = root.GetProperty("qubes").EnumerateObject().ToImmutableSortedDictionary(
                    qube => qube.Name, qube => QubeState.Parse(qube.Name, qube.Value), StringComparer.Ordinal),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw ClientErrors.Communication($"The state is not understood: {e.Message}");
        }
    }
}
