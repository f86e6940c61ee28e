using System.Text.Json;

namespace Qubes.Client.State;

/// <summary>A device assigned or attached to a qube.</summary>
/// <param name="DeviceClass">Such as <c>pci</c>.</param>
/// <param name="Backend">The qube that has it; <c>*</c> for any.</param>
/// <param name="Port">The port there; <c>*</c> for any.</param>
/// <param name="DeviceId">Which device; <c>*</c> for any.</param>
/// <param name="Mode"><c>required</c>, <c>auto-attach</c> or <c>ask-to-attach</c>; <c>manual</c> for one attached without an assignment.</param>
/// <param name="Options">Options by name.</param>
public sealed record StateDevice(
    string DeviceClass, string Backend, string Port, string DeviceId, string Mode, IReadOnlyDictionary<string, string> Options)
{
    internal static StateDevice Parse(JsonElement json) => new(
        json.GetProperty("class").GetString()!,
        json.GetProperty("backend").GetString()!,
        json.GetProperty("port").GetString()!,
        json.GetProperty("device_id").GetString()!,
        json.GetProperty("mode").GetString()!,
        QubeState.ParseMap(json.GetProperty("options")));
}
