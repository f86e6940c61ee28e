using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Qubes.Protocol.Errors;

namespace Qubes.Client.State;

/// <summary>
/// Collects the messages of <c>admin.state.Follow</c> that belong together: nothing of them shows before the
/// <c>state-position</c> that ends them.
/// </summary>
internal sealed class StateChanges(SystemState before)
{
    private ImmutableSortedDictionary<string, QubeState>.Builder _qubes = before.Qubes.ToBuilder();
    private GlobalState? _system = before.System;

    /// <returns>The new state once the message is the last one of its group, else null.</returns>
    public SystemState? Take(AdminEvent message)
    {
        try
        {
            switch (message.Name)
            {
                case "state-qube":
                    _qubes[message.Subject] = Read(message, "state", json => QubeState.Parse(message.Subject, json, new PropertyLayouts()));
                    return null;
                case "state-qube-changed":
                    QubeState known = _qubes.GetValueOrDefault(message.Subject) ?? throw QubesErrors.StateExpired();
                    _qubes[message.Subject] = Read(message, "changes", known.With);
                    return null;
                case "state-qube-removed":
                    _qubes.Remove(message.Subject);
                    return null;
                case "state-system":
                    _system = Read(message, "state", GlobalState.Parse);
                    return null;
                case "state-system-changed":
                    _system = Read(message, "changes", (_system ?? throw QubesErrors.StateExpired()).With);
                    return null;
                case "state-position":
                    SystemState after = new()
                    {
                        Revision = long.Parse(message["revision"]!, NumberStyles.None, CultureInfo.InvariantCulture),
                        Position = message["position"]!,
                        System = _system,
                        Qubes = _qubes.ToImmutable(),
                    };
                    _qubes = after.Qubes.ToBuilder();
                    return after;
                default:
                    // A later version tells more.
                    return null;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException
            or ArgumentNullException)
        {
            throw ClientErrors.Communication($"A change of the state is not understood: {e.Message}");
        }
    }

    private static T Read<T>(AdminEvent message, string keyword, Func<JsonElement, T> read)
    {
        using JsonDocument document = JsonDocument.Parse(message[keyword] ?? throw new FormatException($"no {keyword}"));
        return read(document.RootElement);
    }
}
